import type { Clock } from './clock.ts';
import { EventError } from './errors.ts';
import type { HealthReasons } from './health.ts';
import type { Observer } from './observer.ts';
import { messageOfThrown } from './thrown.ts';

export interface TroubleReporterOptions {
  readonly who: 'consumer' | 'relay' | 'publisher' | 'pruner';
  /** Which one: the group, or where the messages go. */
  readonly name: string;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** How long an answer may take before it counts as trouble, in milliseconds. */
const slowAfterMs = 8_000;

/**
 * Says when somebody does not get on, and when they do again: once for each, not for each try, to
 * observer and health.
 */
export class TroubleReporter {
  readonly #options: TroubleReporterOptions;
  #sinceMs: number | undefined;

  constructor(options: TroubleReporterOptions) {
    this.#options = options;
  }

  get isInTrouble(): boolean {
    return this.#sinceMs !== undefined;
  }

  /** Takes note of a failure; while it goes on, only its words in the health change. */
  begin(error: unknown): void {
    const { who, name, clock, observe, reasons } = this.#options;
    const words = `the ${who} of ${name} does not get on: ${messageOfThrown(error)}`;
    reasons.add(this, words);
    if (this.isInTrouble) return;
    this.#sinceMs = clock.now();
    observe({ kind: 'trouble', who, name, words, error });
  }

  /**
   * Takes note that something was asked, which is trouble if no answer comes.
   *
   * @param whom What was asked, in words.
   * @returns To be called once there is an answer.
   */
  asked(whom: string): () => void {
    const words = `${whom} has not answered for ${slowAfterMs} ms`;
    return this.#options.clock.schedule(slowAfterMs, () =>
      this.begin(new EventError('TRANSPORT_UNAVAILABLE', words, { transport: 'unknown' })),
    );
  }

  /** Takes note that nobody tries any more; whoever asked for it is told why. */
  giveUp(): void {
    this.#sinceMs = undefined;
    this.#options.reasons.remove(this);
  }

  /** Takes note that it gets on. */
  end(): void {
    if (this.#sinceMs === undefined) return;
    const { who, name, clock, observe, reasons } = this.#options;
    const afterMs = Math.max(clock.now() - this.#sinceMs, 0);
    this.#sinceMs = undefined;
    reasons.remove(this);
    observe({ kind: 'recovered', who, name, afterMs });
  }
}
