import type { Clock } from '../clock.ts';
import { GrowingDelay } from '../growing-delay.ts';
import type { HealthReasons } from '../health.ts';
import type { Observer } from '../observer.ts';
import { messageOfThrown } from '../thrown.ts';
import type { Invocation } from './policies/step.ts';

export interface OutageOptions {
  readonly group: string;
  readonly handler: string;
  /** So many different keys have to fail, and none to succeed since. */
  readonly afterKeys: number;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** Pauses before a probe, in milliseconds. */
const probeDelays = { firstMs: 500, maxMs: 15_000 };

/**
 * Tells apart an event that a handler cannot handle from a handler that can handle nothing, because what it
 * needs is away.
 *
 * When several keys in a row have failed with errors that are worth a retry, the handler's events wait, and one
 * of them at a time, keys in turn, is tried to see whether it is over. One success ends it. Whether what all of
 * them fail for is away or broken, nobody can tell; so it lasts until one of them succeeds, and says so.
 */
export class Outage {
  readonly #options: OutageOptions;
  /** Keys that have failed since the last success. */
  readonly #failed = new Set<string>();
  readonly #delay = new GrowingDelay(probeDelays);
  /** Events that wait for their turn, the longest first. */
  readonly #waiting = new Set<() => void>();
  #sinceMs: number | undefined;
  /** The event that is being tried. */
  #probe: (() => void) | undefined;
  #cancelProbe: (() => void) | undefined;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#sinceMs !== undefined;
  }

  /** Takes note of a failure that is worth a retry. @returns True if it is one of an outage. */
  failed(key: string, error: unknown): boolean {
    const { afterKeys } = this.#options;
    if (!this.isOn && afterKeys < Number.POSITIVE_INFINITY) {
      this.#failed.add(key);
      if (this.#failed.size >= afterKeys) this.#begin(error);
    }
    return this.isOn;
  }

  /** Takes note of a success, which ends an outage. */
  succeeded(): void {
    if (this.#failed.size > 0) this.#failed.clear();
    if (this.isOn) this.#end();
  }

  /**
   * Waits until an event may be tried: until its turn, or the end of the outage.
   *
   * @returns To be called when it was tried, however that ended.
   * @throws The signal's reason if the event is no longer ours.
   */
  async turn({ abort, stepAside }: Invocation): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { signal } = abort;
    this.#waiting.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    this.#scheduleProbe();
    await stepAside(() => promise);
    const isProbe = this.#probe === resolve;
    this.#waiting.delete(resolve);
    const end = (): void => {
      if (!isProbe || this.#probe !== resolve) return;
      this.#probe = undefined;
      this.#scheduleProbe();
    };
    if (signal.aborted) end();
    signal.throwIfAborted();
    return end;
  }

  #scheduleProbe(): void {
    if (this.#cancelProbe || this.#probe || !this.isOn || this.#waiting.size === 0) return;
    const { clock } = this.#options;
    this.#cancelProbe = clock.schedule(this.#delay.next(), () => {
      this.#cancelProbe = undefined;
      const [next] = this.#waiting;
      this.#probe = next;
      next?.();
    });
  }

  #begin(error: unknown): void {
    const { group, handler, clock, observe, reasons, afterKeys } = this.#options;
    this.#sinceMs = clock.now();
    this.#delay.reset();
    const words = `handler ${handler} of group ${group} has failed for ${afterKeys} keys in a row, so its events wait until one of them succeeds: ${messageOfThrown(error)}`;
    reasons.add(this, words);
    observe({ kind: 'trouble', who: 'handler', name: `${group}/${handler}`, words, error });
  }

  #end(): void {
    const { group, handler, clock, observe, reasons } = this.#options;
    const afterMs = Math.max(clock.now() - this.#sinceMs!, 0);
    this.#sinceMs = undefined;
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
    this.#probe = undefined;
    reasons.remove(this);
    observe({ kind: 'recovered', who: 'handler', name: `${group}/${handler}`, afterMs });
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
