/** What became of the events of one run, which carry the numbers from 0 on. */
export interface TallyResult {
  readonly missing: number;
  /** Handlings after the first, of any event. */
  readonly repeated: number;
}

/** Counts which events were handled, and how often. */
export class Tally {
  readonly #times: Uint8Array;
  /** When each was handled; empty unless asked for. */
  readonly handledAt: Float64Array;
  readonly #whenComplete = Promise.withResolvers<void>();
  #distinct = 0;
  #handled = 0;

  constructor(expected: number, options: { withTimes: boolean }) {
    this.#times = new Uint8Array(expected);
    this.handledAt = new Float64Array(options.withTimes ? expected : 0);
  }

  count(index: number): void {
    this.#handled += 1;
    this.#times[index]! += 1;
    if (this.#times[index] !== 1) return;
    if (this.handledAt.length > 0) this.handledAt[index] = nowMs();
    this.#distinct += 1;
    if (this.#distinct === this.#times.length) this.#whenComplete.resolve();
  }

  /** Resolves when all were handled, or when none has been for a while. */
  async complete(patienceMs: number): Promise<void> {
    let before = -1;
    const watch = setInterval(() => {
      if (this.#handled === before) this.#whenComplete.resolve();
      before = this.#handled;
    }, patienceMs);
    await this.#whenComplete.promise;
    clearInterval(watch);
  }

  get result(): TallyResult {
    return {
      missing: this.#times.length - this.#distinct,
      repeated: this.#handled - this.#distinct,
    };
  }
}

/** Milliseconds on a clock that all processes of the machine share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
