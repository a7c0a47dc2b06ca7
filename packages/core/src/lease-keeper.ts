import type { Clock } from './clock.ts';
import { GrowingDelay } from './growing-delay.ts';

export interface LeaseKeeperOptions {
  /** How long the lease holds without a renewal, in milliseconds. */
  readonly leaseMs: number;
  readonly clock: Clock;
  /** Renews the lease. @returns False if somebody else has it. */
  readonly renew: () => Promise<boolean>;
  /** Somebody else has it; it is not renewed any more. Told of the last renewal too, also after the stop. */
  readonly onLost?: () => void;
  /**
   * No renewal has succeeded for the whole lease, so somebody else may have it; it is not renewed any more.
   * Unless given, it is tried on: whoever holds the lease finds out when the work ends.
   */
  readonly onLapsed?: () => void;
  /** A renewal has failed, and is tried again soon. */
  readonly onFailed?: (error: unknown) => void;
  readonly onRenewed?: () => void;
}

/** Pauses after a failed renewal, in milliseconds; a third of the lease where that is shorter. */
const firstRetryMs = 250;
const longestRetryMs = 2_000;

/**
 * Keeps a lease for as long as its holder works: renews it at a third of its time, and sooner after a
 * renewal that has failed. A renewal that is under way at the stop is the last.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #retries: GrowingDelay;
  #cancelRenewal: (() => void) | undefined;
  #cancelLapse: (() => void) | undefined;
  /** When the renewal that is under way was sent. */
  #sentAtMs: number | undefined;
  #stopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    const longestMs = Math.min(longestRetryMs, options.leaseMs / 3);
    this.#retries = new GrowingDelay({ firstMs: firstRetryMs, maxMs: longestMs });
  }

  /** Begins; the lease was taken just now. */
  start(): this {
    const { clock, leaseMs } = this.#options;
    this.#expectLapse(clock.now() + leaseMs);
    this.#schedule(leaseMs / 3);
    return this;
  }

  /** Begins no further renewal. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRenewal?.();
    this.#cancelLapse?.();
  }

  #schedule(inMs: number): void {
    const { clock } = this.#options;
    this.#cancelRenewal = clock.schedule(inMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { renew, clock, leaseMs, onLost, onFailed, onRenewed } = this.#options;
    const sentAtMs = (this.#sentAtMs = clock.now());
    try {
      const isHeld = await renew();
      if (!isHeld) {
        this.stop();
        return onLost?.();
      }
      if (this.#stopped) return;
      this.#retries.reset();
      this.#expectLapse(sentAtMs + leaseMs);
      this.#schedule(leaseMs / 3);
      onRenewed?.();
    } catch (error) {
      if (this.#stopped) return;
      this.#schedule(this.#retries.next());
      onFailed?.(error);
    } finally {
      this.#sentAtMs = undefined;
    }
  }

  #expectLapse(atMs: number): void {
    const { clock, onLapsed } = this.#options;
    if (!onLapsed) return;
    this.#cancelLapse?.();
    this.#cancelLapse = clock.schedule(Math.max(atMs - clock.now(), 0), () => this.#lapse());
  }

  /** Whoever has stood still, as a frozen process does, asks first: perhaps nobody has noticed. */
  #lapse(): void {
    const { clock, leaseMs, onLapsed } = this.#options;
    const graceMs = leaseMs / 3;
    const sentAtMs = this.#sentAtMs ?? Number.NEGATIVE_INFINITY;
    if (clock.now() - sentAtMs < graceMs) return this.#expectLapse(sentAtMs + graceMs);
    this.stop();
    onLapsed?.();
  }
}
