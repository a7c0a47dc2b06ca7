import type { HealthReasons } from '../health.ts';
import type { Warnings } from '../warnings.ts';

export interface RetryBacklogOptions {
  readonly group: string;
  /** Most deliveries in hand that do not wait for a retry. */
  readonly maxInFlight: number;
  readonly reasons: HealthReasons;
  readonly warnings: Warnings;
  /** Told how many deliveries may be in hand, when that changes. */
  readonly onChange: (allowed: number) => void;
}

/** So many times `maxInFlight` may wait for a retry before nothing more is taken. */
const timesInFlight = 10;

/**
 * Lets a group take more while deliveries wait for a retry, or behind one of their key that does: else a few keys
 * that fail would keep all others waiting. So that the memory does not fill up, that ends somewhere.
 */
export class RetryBacklog {
  readonly #options: RetryBacklogOptions;
  #maxInFlight: number;
  #waiting = 0;
  #told: number;

  constructor(options: RetryBacklogOptions) {
    this.#options = options;
    this.#maxInFlight = options.maxInFlight;
    this.#told = options.maxInFlight;
  }

  /** How many deliveries may be in hand. */
  get allowed(): number {
    return this.#maxInFlight + Math.min(this.#waiting, this.#most);
  }

  setMaxInFlight(maxInFlight: number): void {
    this.#maxInFlight = maxInFlight;
    this.#tell();
  }

  /** Takes note of how many wait. */
  note(waiting: number): void {
    this.#waiting = waiting;
    this.#tell();
    const { reasons, warnings, group } = this.#options;
    if (waiting < this.#most) return reasons.remove(this);
    const words = `${this.#most} events or more of group ${group} wait for a retry, so it takes nothing more until some of them end`;
    reasons.add(this, words);
    warnings.once('RETRIES_PILE_UP', group, words);
  }

  get #most(): number {
    return this.#maxInFlight * timesInFlight;
  }

  #tell(): void {
    const { allowed } = this;
    if (allowed === this.#told) return;
    this.#told = allowed;
    this.#options.onChange(allowed);
  }
}
