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

  /** @param next The first offset that is not finished yet. */
  constructor(next: bigint) {
    this.#position = next;
  }

  /** The first offset that is not finished; what a group commits. Never falls. */
  get position(): bigint {
    return this.#position;
  }

  /** How many offsets have begun and are at or above the watermark. */
  get pending(): number {
    return this.#begun.length - this.#head;
  }

  /** @throws {RangeError} If the offset is not above every offset that began before. */
  begin(offset: bigint): void {
    const last = this.#begun.at(-1)?.offset ?? this.#position - 1n;
    if (offset <= last) throw new RangeError(`offset ${offset} begins after ${last}`);
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
    const before = this.#position;
    while (this.#begun[this.#head]?.finished) {
      this.#position = this.#begun[this.#head]!.offset + 1n;
      this.#head += 1;
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
