import type { Clock } from '../clock.ts';
import { GrowingDelay } from '../growing-delay.ts';
import { runOutsideScope } from '../handler-scope.ts';
import { isWaitedOut } from '../waited-out.ts';
import type { Observer } from '../observer.ts';
import { Outlet, type RevocableDelivery } from './outlet.ts';
import type { Consumer, Deliver, Subscription } from './transport.ts';
import { type TroubleSource, TroubleSources } from './trouble-sources.ts';
import { Wake } from './wake.ts';

export interface ConsumerShellOptions {
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  readonly clock: Clock;
  readonly observe: Observer;
  /** Kind of transport, as in `Transport.name`. */
  readonly transport: string;
  /** Pause after a first failure, in milliseconds; later ones are longer. */
  readonly retryMs: number;
}

/** What a consumer does again and again. */
export interface Repetition {
  /**
   * One step: `again` if there may be more to do at once, `wait` if there is nothing to do for now, `done`
   * if it need not be repeated.
   */
  readonly work: () => Promise<'again' | 'wait' | 'done'>;
  /** What is in trouble while the step fails. */
  readonly source: TroubleSource;
  /** Resolves when there may be something to do; waits for `wake` unless given. */
  readonly wait?: () => Promise<void>;
  /** Longest wait for `wake`, in milliseconds; as long as it takes unless given. */
  readonly waitAtMostMs?: number;
  /** Ends it; `closing` unless given. */
  readonly signal?: AbortSignal;
  /** Says whether it goes on after this error; after what passes, and refused access, unless given. */
  readonly passes?: (error: unknown) => boolean;
  /** Mends what it can before the next try. @param error As it was thrown. */
  readonly afterFailure?: (error: unknown) => Promise<void>;
}

/** Longest pause between two tries, in milliseconds. */
const longestRetryMs = 5_000;

/**
 * What every consumer has beside its own way of reading: it hands out no more than was asked for, and nothing
 * once it closes; it goes on after failures that pass and when its access is refused, since it has had it before,
 * ends for good after others, says when it is in trouble, and closes once.
 *
 * A subclass calls `start` at the end of its constructor. What is public here beside `Consumer` is for the
 * parts that a consumer is made of.
 */
export abstract class ConsumerShell<Own extends RevocableDelivery> implements Consumer {
  readonly finished: Promise<void>;
  /** Name of the group for observations; empty for a broadcast. */
  readonly group: string;
  readonly outlet: Outlet<Own>;
  readonly wake: Wake = new Wake();
  /** Aborted when the consumer begins to close, or to end by itself. */
  readonly closing: AbortSignal;
  readonly #options: ConsumerShellOptions;
  readonly #closing = new AbortController();
  readonly #finished = Promise.withResolvers<void>();
  readonly #troubles: TroubleSources;
  #closed: Promise<void> | undefined;

  constructor(options: ConsumerShellOptions) {
    const { subscription, deliver, clock, transport } = options;
    this.#options = options;
    this.group = subscription.group ?? '';
    this.closing = this.#closing.signal;
    this.outlet = new Outlet({
      deliver,
      maxInFlight: subscription.maxInFlight,
      onRoom: () => this.onRoom(),
    });
    const { onTrouble } = subscription;
    this.#troubles = new TroubleSources({ onTrouble, clock, transport });
    this.finished = this.#finished.promise;
    // Whoever does not wait for the end need not hear of a bad one either.
    this.finished.catch(() => {});
  }

  pause(): void {
    this.outlet.pause();
  }

  resume(): void {
    if (!this.closing.aborted) this.outlet.resume();
  }

  setMaxInFlight(maxInFlight: number): void {
    this.outlet.setMaxInFlight(maxInFlight);
  }

  close(): Promise<void> {
    this.#closed ??= runOutsideScope(() => {
      this.#troubles.end();
      this.stop();
      return this.end();
    });
    return this.#closed;
  }

  /** Something that may be in trouble on its own. */
  source(): TroubleSource {
    return this.#troubles.source();
  }

  /** Takes note of a failure that is followed by another try. */
  failed(error: unknown, source: TroubleSource): void {
    this.#options.observe({ kind: 'consume-failed', group: this.group, error });
    source.failed(error);
  }

  /**
   * Does something again and again until it is done or `signal` is aborted: after failures that pass, later
   * and later.
   *
   * @throws What does not pass.
   */
  async repeat(repetition: Repetition): Promise<void> {
    const { work, source, afterFailure, waitAtMostMs } = repetition;
    const {
      wait = () => this.#waitForWake(waitAtMostMs),
      passes = isWaitedOut,
      signal = this.closing,
    } = repetition;
    const { clock, retryMs, observe } = this.#options;
    const delay = new GrowingDelay({ firstMs: retryMs, maxMs: longestRetryMs });
    while (!signal.aborted) {
      try {
        const left = await work();
        delay.reset();
        source.gotOn();
        if (left === 'done') return;
        if (left === 'wait' && !signal.aborted) await wait();
      } catch (thrown) {
        if (signal.aborted) return;
        const error = this.explain(thrown);
        if (!passes(error)) {
          observe({ kind: 'consume-failed', group: this.group, error });
          throw error;
        }
        this.failed(error, source);
        await afterFailure?.(thrown);
        await clock.sleep(delay.next(), signal);
      }
    }
  }

  /** Begins. */
  protected start(): void {
    this.#finished.resolve(runOutsideScope(() => this.run()));
  }

  /**
   * Ends every repetition: one of them has ended for good, so the others have to. From now on nothing is
   * handed out.
   */
  protected stop(): void {
    this.#closing.abort();
    // What is being read meanwhile may come still.
    this.outlet.pause();
    this.wake.call();
  }

  /** Reads and hands out until `closing` is aborted. @throws What ends the consumer for good. */
  protected abstract run(): Promise<void>;

  /** What a close does when `closing` has been aborted; gives up what is in hand and waits for `run`. */
  protected async end(): Promise<void> {
    this.outlet.clear();
    await this.finished.catch(() => {});
  }

  /** Called when more may be handed out; never from within a hand-out. */
  protected onRoom(): void {
    this.wake.call();
  }

  /** Puts into words what a step has thrown. */
  protected explain(thrown: unknown): unknown {
    return thrown;
  }

  async #waitForWake(atMostMs: number | undefined): Promise<void> {
    if (atMostMs === undefined) return await this.wake.wait();
    const cancel = this.#options.clock.schedule(atMostMs, () => this.wake.call());
    await this.wake.wait();
    cancel();
  }
}
