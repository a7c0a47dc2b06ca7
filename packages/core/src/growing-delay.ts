/** Pauses between tries of the same thing: each is twice as long as the one before, up to a longest. */
export class GrowingDelay {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #nextMs: number;

  /** @param options.maxMs Longest pause, in milliseconds; the first one, too, is not longer. */
  constructor({ firstMs, maxMs }: { firstMs: number; maxMs: number }) {
    this.#firstMs = Math.min(firstMs, maxMs);
    this.#maxMs = maxMs;
    this.#nextMs = this.#firstMs;
  }

  /** How long to wait before the next try, in milliseconds. */
  next(): number {
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(delayMs * 2, this.#maxMs);
    return delayMs;
  }

  /** Begins with the first pause again: a try has succeeded. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
