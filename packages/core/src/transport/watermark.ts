/**
 * The contiguous watermark of one partition: everything below it is finished.
 *
 * Offsets begin in ascending order, with or without gaps, and finish in any order.
 */
export class Watermark {
  #position: bigint;
  /** Offsets under way in ascending order; a finished one stays until all before it are finished. */
  readonly #begun: { readonly offset: bigint; finished: boolean }[] = [];
  readonly #byOffset = new Map<bigint, { finished: boolean }>();
  #head = 0;
  #passed = 0;

  /** @param next The first offset that is not finished yet. */
  constructor(next: bigint) {
    this.#position = next;
  }

  /** The first offset that is not finished; what a group commits. Never falls. */
  get position(): bigint {
    return this.#position;
  }

  /** The offset behind everything that has begun: where to read on. */
  get next(): bigint {
    return this.pending > 0 ? this.#begun.at(-1)!.offset + 1n : this.#position;
  }

  /** How many offsets have begun and are at or above the watermark. */
  get pending(): number {
    return this.#begun.length - this.#head;
  }

  /** How many offsets are finished and have one before them that is not. */
  get finishedAhead(): number {
    return this.pending - this.#byOffset.size;
  }

  /** How many finished offsets the watermark has passed so far. */
  get passed(): number {
    return this.#passed;
  }

  /** @throws {RangeError} If the offset is not above every offset that began before, or below the watermark. */
  begin(offset: bigint): void {
    const { next } = this;
    if (offset < next) throw new RangeError(`offset ${offset} begins after ${next - 1n}`);
    const entry = { offset, finished: false };
    this.#begun.push(entry);
    this.#byOffset.set(offset, entry);
  }

  /** Marks an offset finished. @returns True if the watermark moved. Unknown offsets change nothing. */
  finish(offset: bigint): boolean {
    const entry = this.#byOffset.get(offset);
    if (!entry) return false;
    entry.finished = true;
    this.#byOffset.delete(offset);
    return this.#advance();
  }

  /**
   * Goes on at `offset`, because what lies before it is gone. What has begun below it counts as finished if
   * it is, and is dropped if not: a later `finish` of it changes nothing.
   *
   * @returns True if the watermark moved.
   * @throws {RangeError} If the offset is below the watermark, which never goes back.
   */
  skipTo(offset: bigint): boolean {
    const before = this.#position;
    if (offset < before) throw new RangeError(`offset ${offset} is skipped to from ${before}`);
    for (; this.#isNextBelow(offset); this.#head += 1) {
      const entry = this.#begun[this.#head]!;
      if (entry.finished) this.#passed += 1;
      else this.#byOffset.delete(entry.offset);
    }
    this.#position = offset;
    this.#advance();
    return this.#position > before;
  }

  #isNextBelow(offset: bigint): boolean {
    return this.pending > 0 && this.#begun[this.#head]!.offset < offset;
  }

  #advance(): boolean {
    const before = this.#position;
    while (this.#begun[this.#head]?.finished) {
      this.#position = this.#begun[this.#head]!.offset + 1n;
      this.#head += 1;
      this.#passed += 1;
    }
    this.#compact();
    return this.#position > before;
  }

  /** Drops the finished front now and then, so that each offset is moved at most once on average. */
  #compact(): void {
    if (this.#head < 64 || this.#head * 2 < this.#begun.length) return;
    this.#begun.splice(0, this.#head);
    this.#head = 0;
  }
}
