import { EventError } from '@waybill/core';
import { PartitionProgress } from '@waybill/core/adapter';

import type { GroupPartition } from './log-group.ts';
import type { LogRow } from './log-rows.ts';
import type { OwnMark } from './log-watermarks.ts';

/** Where one owner of a group stands in one partition. */
export class LogPosition extends PartitionProgress {
  readonly partition: number;
  /** Where the group stood when it was claimed. */
  readonly claimed: GroupPartition;
  /** Lower than this `fetched_offset` is not, unless an older state of the database was put back. */
  #noted: bigint;
  #last: OwnMark['last'];
  #sent: bigint;
  #takenBackFrom: bigint | undefined;

  constructor(claimed: GroupPartition, options: { maxAhead: number }) {
    super(claimed.committed, options);
    this.partition = claimed.partition;
    this.claimed = claimed;
    this.#noted = claimed.fetched;
    this.#sent = claimed.committed;
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

  /** What this owner has written, as far as it knows. */
  get ownMark(): OwnMark {
    const { partition, committed: least } = this;
    return { partition, least, most: this.#sent, noted: this.#noted, last: this.#last };
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

  /** Takes note of a row that was read and noted as handed out. */
  beginRow({ log_offset: offset, event_id: eventId }: LogRow): void {
    this.begin(offset);
    if (offset >= this.#noted) this.#noted = offset + 1n;
    this.#last = { offset, eventId };
  }

  /** Takes note that a watermark is on its way: its answer may get lost. */
  send(upTo: bigint): void {
    if (upTo > this.#sent) this.#sent = upTo;
  }

  /** Takes note that an offset is in hand and only waits. */
  takeBack(offset: bigint): void {
    if (this.#takenBackFrom === undefined || offset < this.#takenBackFrom)
      this.#takenBackFrom = offset;
  }

  /** Where what only waited begins, unless there is more that former owners had handed out. */
  get takenBackFrom(): bigint | undefined {
    return this.hasSuspects ? undefined : this.#takenBackFrom;
  }

  /** Takes note that what former owners were handed is about to be forgotten, up to the watermark. */
  forgetNoted(): void {
    this.#noted = this.claimed.committed;
  }

  /** Goes on at `offset`, because what lies before it and was not read is gone; what is in hand is not. */
  passOver(offset: bigint): void {
    this.begin(offset - 1n);
    this.finish(offset - 1n);
  }
}

/** What the end of an owner makes of what it has noted as handed out. */
export interface TakenBack {
  /** Up to here it is held against a message that it was handed out. */
  readonly fetched: bigint;
  /** Up to here it may have been. */
  readonly handed: bigint;
}

/**
 * Where the offsets end that were handed out, in partitions of which something was read and was not, or only
 * waited. What a former owner had handed out stays noted, unless its rows are being told apart one by one.
 */
export function handedOutUpTo(
  unhanded: Iterable<{ readonly partition: number; readonly offset: bigint }>,
  positions: ReadonlyMap<number, LogPosition>,
  isolating: boolean,
): Map<number, TakenBack> {
  const ends = new Map<number, bigint>();
  for (const { partition, offset } of unhanded) {
    const { claimed } = positions.get(partition)!;
    const end = isolating || offset > claimed.fetched ? offset : claimed.fetched;
    if (end < (ends.get(partition) ?? end + 1n)) ends.set(partition, end);
  }
  const takenBack = new Map<number, TakenBack>();
  for (const { partition, reached, takenBackFrom } of positions.values()) {
    const end = ends.get(partition);
    if (end === undefined && takenBackFrom === undefined) continue;
    const handed = end ?? reached;
    const fetched = takenBackFrom !== undefined && takenBackFrom < handed ? takenBackFrom : handed;
    takenBack.set(partition, { fetched, handed });
  }
  return takenBack;
}

/** A group stands beyond the end of the log: it would skip whatever is appended until the log is that long again. */
export function beyondTheEnd(
  group: string,
  { partition, at, end }: { partition: number; at: bigint; end: bigint },
): EventError<'CURSOR_FOREIGN'> {
  return foreign(
    group,
    { partition, at },
    `but the log ends at ${end}; it was emptied or replaced`,
  );
}

/** A group stands behind rows that it was not handed: the log was filled anew under it. */
export function behindOthers(
  group: string,
  place: { partition: number; at: bigint; eventId: string },
): EventError<'CURSOR_FOREIGN'> {
  return foreign(
    group,
    place,
    `but what lies before it is not what was handed out (${place.eventId} was); the log was emptied or replaced, and has grown again`,
  );
}

function foreign(
  group: string,
  { partition, at }: { partition: number; at: bigint },
  why: string,
): EventError<'CURSOR_FOREIGN'> {
  const literal = `'${group.replaceAll("'", "''")}'`;
  return new EventError(
    'CURSOR_FOREIGN',
    `group ${group} is at offset ${at} of partition ${partition}, ${why}. To let the group begin anew, with no restart: DELETE FROM event_log_group WHERE group_name = ${literal}`,
    { cursor: `${partition}-${at}` },
  );
}
