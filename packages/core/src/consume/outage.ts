import type { Clock } from '../clock.ts';
import { throwIfEnded } from '../end-signal.ts';
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
  #words = '';
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
   * Waits until an event may be tried: until its turn, or the end of the outage. One that hangs, past the
   * timeout of its handler, does not keep the next one waiting.
   *
   * @returns To be called when it was tried, however that ended.
   * @throws The signal's reason if the event is no longer ours.
   */
  async turn({ abort, stepAside, registration }: Invocation): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      this.#leave(resolve);
      resolve();
    };
    this.#waiting.add(resolve);
    this.#options.reasons.add(this, this.#words);
    abort.addEventListener('abort', onAbort);
    if (abort.aborted) onAbort();
    this.#scheduleProbe();
    await stepAside(() => promise);
    abort.removeEventListener('abort', onAbort);
    this.#waiting.delete(resolve);
    if (this.#probe !== resolve) {
      throwIfEnded(abort);
      return () => {};
    }
    return this.#tryOut(resolve, registration.timeoutMs, abort);
  }

  /** Takes note that nobody handles anything any more. */
  giveUp(): void {
    this.#sinceMs = undefined;
    this.#cancelTimer();
    this.#options.reasons.remove(this);
  }

  #tryOut(probe: () => void, limitMs: number, abort: Invocation['abort']): () => void {
    const end = (): void => {
      cancel();
      abort.removeEventListener('abort', onAbort);
      if (this.#probe !== probe) return;
      this.#probe = undefined;
      this.#scheduleProbe();
    };
    const onAbort = (): void => {
      end();
      this.#leave(probe);
    };
    const cancel = this.#options.clock.schedule(limitMs, end);
    abort.addEventListener('abort', onAbort);
    if (abort.aborted) onAbort();
    throwIfEnded(abort);
    return end;
  }

  /** An event is no longer ours. Without any, there is nothing to try, and nothing in the way. */
  #leave(waiting: () => void): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size > 0) return;
    this.#cancelTimer();
    this.#options.reasons.remove(this);
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

  #cancelTimer(): void {
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
  }

  #begin(error: unknown): void {
    const { group, handler, clock, observe, reasons, afterKeys } = this.#options;
    this.#sinceMs = clock.now();
    this.#delay.reset();
    this.#words = `handler ${handler} of group ${group} has failed for ${afterKeys} keys in a row, so its events wait until one of them succeeds: ${messageOfThrown(error)}`;
    reasons.add(this, this.#words);
    const name = `${group}/${handler}`;
    observe({ kind: 'trouble', who: 'handler', name, words: this.#words, error });
  }

  #end(): void {
    const { group, handler, clock, observe, reasons } = this.#options;
    const afterMs = Math.max(clock.now() - this.#sinceMs!, 0);
    this.#sinceMs = undefined;
    this.#cancelTimer();
    this.#probe = undefined;
    reasons.remove(this);
    observe({ kind: 'recovered', who: 'handler', name: `${group}/${handler}`, afterMs });
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
