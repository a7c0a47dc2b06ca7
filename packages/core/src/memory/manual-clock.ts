import type { Clock } from '../clock.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on, so that tests wait for nothing. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<Timer>();

  /** @param startMs Milliseconds since the epoch; the beginning of 2026 unless given. */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  /** How many timers and sleepers wait for time to pass. */
  get waiting(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.schedule(ms, finish);
      signal?.addEventListener('abort', finish, { once: true });
      function finish(): void {
        cancel();
        signal?.removeEventListener('abort', finish);
        resolve();
      }
    });
  }

  schedule(ms: number, run: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /**
   * Lets time pass, stopping at every timer on the way; one that a timer starts is met as well.
   *
   * @param ms Milliseconds, 0 or more.
   * @returns Resolves when everything that was due has run and the event loop has turned once more.
   */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    for (let timer = this.#next(targetMs); timer; timer = this.#next(targetMs)) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.run();
      await turn();
    }
    this.#nowMs = Math.max(this.#nowMs, targetMs);
    await turn();
  }

  /** The earliest timer that is due by `targetMs`; of several the one that was set first. */
  #next(targetMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= targetMs && (!next || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }
}

/** Lets promises that hang on a timer run before the next timer does. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
