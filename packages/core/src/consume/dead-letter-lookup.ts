import { runOutsideScope } from '../handler-scope.ts';
import { maxDeadLetterKeys, type DeadLetterKey, type DeadLetterSink } from './dead-letter-sink.ts';
import type { DeadLetter } from './dead-letter.ts';

/** A look-up that nobody has answered yet. */
interface Waiting {
  readonly key: DeadLetterKey;
  resolve(found: DeadLetter | null): void;
  reject(error: unknown): void;
}

/**
 * Looks up together what is asked for at the same time: after a crash or a takeover repeated deliveries
 * come by the hundred, and a look-up for each would hold them all up.
 *
 * One call is under way at a time. What is asked for meanwhile goes as the next.
 */
export class DeadLetterLookup {
  readonly #sink: DeadLetterSink;
  readonly #waiting: Waiting[] = [];
  #running = false;

  constructor(sink: DeadLetterSink) {
    this.#sink = sink;
  }

  /** The dead letter with this key, or `null`. @throws What the sink throws. */
  find(key: DeadLetterKey): Promise<DeadLetter | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      // Not at once: whatever else comes in this turn goes with it. Nor as a part of the one delivery
      // that happens to be first.
      runOutsideScope(() => setImmediate(() => void this.#run()));
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#ask(this.#waiting.splice(0, maxDeadLetterKeys));
    this.#running = false;
  }

  async #ask(asked: readonly Waiting[]): Promise<void> {
    try {
      const found = await this.#sink.find(asked.map(({ key }) => key));
      for (const [index, { resolve }] of asked.entries()) resolve(found[index] ?? null);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
