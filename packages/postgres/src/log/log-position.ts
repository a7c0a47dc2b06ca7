import { EventError } from '@waybill/core';
import { PartitionProgress } from '@waybill/core/adapter';

import type { GroupPartition } from './log-group.ts';

/** Where one owner of a group stands in one partition. */
export class LogPosition extends PartitionProgress {
  readonly partition: number;
  /** Where the group stood when it was claimed. */
  readonly claimed: GroupPartition;

  constructor(claimed: GroupPartition, options: { maxAhead: number }) {
    super(claimed.committed, options);
    this.partition = claimed.partition;
    this.claimed = claimed;
  }

  /** True while there is something to read again that a former owner had handed out and not finished. */
  get hasSuspects(): boolean {
    return this.next < this.claimed.fetched;
  }

  /** True if more than one owner in a row left without finishing the same offsets. */
  get isRepeatedly(): boolean {
    return this.hasSuspects && this.claimed.takeovers >= 2;
  }

  /** The offset behind everything that was handed out, as far as is known. */
  get reached(): bigint {
    const { fetched } = this.claimed;
    return this.next > fetched ? this.next : fetched;
  }

  /** How often an offset was handed out before, as far as is known. */
  deliveriesBefore(offset: bigint): number {
    if (offset < this.claimed.suspect) return this.claimed.takeovers;
    return offset < this.claimed.fetched ? 1 : 0;
  }

  /** False if nobody of the group was ever handed this offset. */
  mayBeRepeated(offset: bigint): boolean {
    return offset < this.claimed.handed;
  }

  /** Goes on at `offset`, because what lies before it and was not read is gone; what is in hand is not. */
  passOver(offset: bigint): void {
    this.begin(offset - 1n);
    this.finish(offset - 1n);
  }
}

/** A group stands beyond the end of the log: it would skip whatever is appended until the log is that long again. */
export function beyondTheEnd(
  group: string,
  { partition, at, end }: { partition: number; at: bigint; end: bigint },
): EventError<'CURSOR_FOREIGN'> {
  const literal = `'${group.replaceAll("'", "''")}'`;
  return new EventError(
    'CURSOR_FOREIGN',
    `group ${group} is at offset ${at} of partition ${partition}, but the log ends at ${end}; it was emptied or replaced. To let the group begin anew, with no restart: DELETE FROM event_log_group WHERE group_name = ${literal}`,
    { cursor: `${partition}-${at}` },
  );
}
