import { EventError } from '@waybill/core';
import { Watermark } from '@waybill/core/adapter';

import type { GroupPartition } from './log-group.ts';
import type { LogHeads } from './log-heads.ts';

/** Where one owner of a group stands in one partition. */
export class LogPosition {
  readonly partition: number;
  /** Where the group stood when it was claimed. */
  readonly claimed: GroupPartition;
  /** The next offset to read. */
  next: bigint;
  /** What the database knows of the watermark. */
  committed: bigint;
  readonly #watermark: Watermark;

  constructor(claimed: GroupPartition) {
    this.partition = claimed.partition;
    this.next = claimed.committed;
    this.committed = claimed.committed;
    this.#watermark = new Watermark(claimed.committed);
    this.claimed = claimed;
  }

  /** The first offset that is not finished. */
  get watermark(): bigint {
    return this.#watermark.position;
  }

  /** Offsets that were read and lie at or above the watermark. */
  get ahead(): number {
    return this.#watermark.pending;
  }

  /** True while there is something to read again that a former owner had handed out and not finished. */
  get hasSuspects(): boolean {
    return this.next < this.claimed.fetched;
  }

  /** True if more than one owner in a row left without finishing the same offsets. */
  get isRepeatedly(): boolean {
    return this.hasSuspects && this.claimed.takeovers >= 2;
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

  /**
   * @throws {EventError} `CURSOR_FOREIGN` if the group is beyond the end of the log: it would skip
   *   whatever is appended until the log is that long again.
   */
  assertWithin(heads: LogHeads): void {
    const head = heads.of(this.partition);
    if (this.claimed.fetched <= head) return;
    throw new EventError(
      'CURSOR_FOREIGN',
      `the group is at offset ${this.claimed.fetched} of partition ${this.partition}, but the log ends at ${head}; it was emptied or replaced. Delete the group's rows from event_log_group to let it begin anew`,
      { cursor: `${this.partition}-${this.claimed.fetched}` },
    );
  }

  begin(offset: bigint): void {
    this.#watermark.begin(offset);
    this.next = offset + 1n;
  }

  finish(offset: bigint): void {
    this.#watermark.finish(offset);
  }

  /** Goes on at `offset`, because what lies before it is gone. */
  skipTo(offset: bigint): void {
    this.begin(offset - 1n);
    this.finish(offset - 1n);
  }
}
