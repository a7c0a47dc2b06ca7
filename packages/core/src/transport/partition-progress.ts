import { Watermark } from './watermark.ts';

/** How far a commit reaches, taken when it was begun. */
export interface CommitMark {
  /** The first offset that was not finished. */
  readonly upTo: bigint;
  /** How many finished records lie below it. */
  readonly passed: number;
}

/**
 * Where one owner of a group stands in one partition: what has begun and finished, what the broker has
 * confirmed, and whether more may be read.
 */
export class PartitionProgress {
  readonly #watermark: Watermark;
  readonly #maxAhead: number;
  #committed: bigint;
  /** Finished records that a confirmed commit covers. */
  #covered = 0;

  /**
   * @param committed The first offset that is not finished, as the broker knows it.
   * @param options.maxAhead Most records that may be finished and not covered by a confirmed commit; from
   *   then on the partition pauses until a commit is confirmed.
   */
  constructor(committed: bigint, { maxAhead }: { maxAhead: number }) {
    this.#watermark = new Watermark(committed);
    this.#committed = committed;
    this.#maxAhead = maxAhead;
  }

  /** The first offset that is not finished. */
  get position(): bigint {
    return this.#watermark.position;
  }

  /** The offset behind everything that has begun: where to read on. */
  get next(): bigint {
    return this.#watermark.next;
  }

  /** What the broker is known to know of it. */
  get committed(): bigint {
    return this.#committed;
  }

  /** How many records are finished and not covered by a confirmed commit: what a crash would repeat. */
  get uncovered(): number {
    return this.#watermark.passed - this.#covered + this.#watermark.finishedAhead;
  }

  /** False while the partition pauses. */
  get mayRead(): boolean {
    return this.uncovered < this.#maxAhead;
  }

  /** How many more records may be finished before the partition pauses. */
  get allowance(): number {
    return Math.max(this.#maxAhead - this.uncovered, 0);
  }

  /** @throws {RangeError} If the offset is not above every offset that began before. */
  begin(offset: bigint): void {
    this.#watermark.begin(offset);
  }

  /** Marks an offset finished; unknown ones change nothing. */
  finish(offset: bigint): void {
    this.#watermark.finish(offset);
  }

  /** Goes on at `offset`, because everything before it is gone. @throws {RangeError} Below the watermark. */
  skipTo(offset: bigint): void {
    this.#watermark.skipTo(offset);
  }

  /** What there is to commit; nothing if the broker knows it already. */
  get due(): CommitMark | undefined {
    return this.position > this.#committed ? this.mark : undefined;
  }

  /** How far a commit would reach that is begun now. */
  get mark(): CommitMark {
    return { upTo: this.position, passed: this.#watermark.passed };
  }

  /** Takes note that the broker has accepted a commit. An older one than is known changes nothing. */
  confirm({ upTo, passed }: CommitMark): void {
    if (upTo <= this.#committed) return;
    this.#committed = upTo;
    this.#covered = passed;
  }
}
