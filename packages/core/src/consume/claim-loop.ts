import type { Clock } from '../clock.ts';
import type { Coordinates } from '../coordinates.ts';
import type { UnfinishedDelivery } from './delivery-processor.ts';
import { EventError, isEventError } from '../errors.ts';
import { GrowingDelay } from '../growing-delay.ts';
import type { HealthReasons } from '../health.ts';
import type { Lanes } from './lanes.ts';
import { LeaseKeeper } from '../lease-keeper.ts';
import type { EventLabels, Observer } from '../observer.ts';

/** What a claim is about. */
export interface ClaimedWork {
  readonly id: string;
  /** Ordering key of the event. */
  readonly key: string;
  readonly labels: EventLabels;
  readonly coordinates: Coordinates;
}

/** Where work lies that a group takes beside its deliveries, and how it is done. */
export interface ClaimSource<Claim, Outcome> {
  /** What it has, in words for the health: `dead letters to be run again`. */
  readonly what: string;
  /** What it keeps, in words for errors: `dead letter`. */
  readonly one: string;
  /** Takes up to `limit` pieces of work. */
  claim(limit: number): Promise<readonly Claim[]>;
  /** Prolongs a claim by the time that it was taken for. @returns False if it was lost. */
  renew(claim: Claim): Promise<boolean>;
  about(claim: Claim): ClaimedWork;
  /**
   * Does the work.
   *
   * @param signal Aborted when the claim was lost, and when it is given up.
   * @returns How it has ended; `undefined` if it has not, and the claim is to lapse.
   */
  attempt(claim: Claim, signal: AbortSignal): Promise<Outcome | undefined>;
  /** Stores how it has ended. @returns False if the claim was lost. */
  settle(claim: Claim, outcome: Outcome): Promise<boolean>;
  /** Gives back what was not begun, so that nobody has to wait for the claim to lapse. */
  release?(claim: Claim): Promise<unknown>;
  /** Called at the end; `undefined` if the claim was lost. */
  ended(claim: Claim, outcome: Outcome | undefined): void;
}

export interface ClaimLoopOptions<Claim, Outcome> {
  readonly source: ClaimSource<Claim, Outcome>;
  readonly pollMs: number;
  readonly leaseMs: number;
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** Most pieces of work that one loop has taken at once. */
const claimLimit = 20;
/** Pauses between two tries to store an outcome. */
const retryDelays = { firstMs: 100, maxMs: 5_000 };

/** A piece of work from its claim to its end. */
interface Taken<Claim> {
  readonly claim: Claim;
  /** Aborted when somebody else has the claim, or when it is given up. */
  readonly controller: AbortController;
  readonly keeper: LeaseKeeper;
  begun: boolean;
}

/**
 * Takes work of one group from a queue, now and then, and does each piece in its key's lane like any other
 * event. A claim is renewed from the moment it is taken.
 */
export class ClaimLoop<Claim, Outcome> {
  readonly #options: ClaimLoopOptions<Claim, Outcome>;
  readonly #stop = new AbortController();
  readonly #taken = new Set<Taken<Claim>>();
  #wake = new AbortController();
  #paused = false;
  #running: Promise<void> | undefined;

  constructor(options: ClaimLoopOptions<Claim, Outcome>) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Takes nothing more until `resume()`; what it has taken, or is about to, goes on. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake.abort();
  }

  /** Looks at once whether there is more to do. */
  wake(): void {
    this.#wake.abort();
  }

  /** Takes nothing more, and leaves what has not begun to another worker; resolves when the loop has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
    this.#options.reasons.remove(this);
  }

  /** Gives up everything under way: its claims lapse, and another worker takes them. */
  abandon(reason: EventError): UnfinishedDelivery[] {
    const { observe, source } = this.#options;
    return [...this.#taken].map(({ claim, controller, keeper, begun }) => {
      keeper.stop();
      controller.abort(reason);
      const { labels, coordinates } = source.about(claim);
      const handler = begun ? labels.handler : undefined;
      observe({ kind: 'left-unfinished', ...labels, handler, coordinates });
      return { eventId: labels.eventId ?? '', handler, coordinates };
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const room = this.#paused ? 0 : claimLimit - this.#taken.size;
      const claims = room > 0 ? await this.#claim(room) : [];
      if (signal.aborted)
        return void (await Promise.all(claims.map((each) => this.#release(each))));
      for (const claim of claims) this.#take(claim);
      if (claims.length < Math.max(room, 1)) {
        await this.#options.clock.sleep(this.#options.pollMs, this.#wake.signal);
      }
    }
  }

  async #claim(limit: number): Promise<readonly Claim[]> {
    const { source, reasons } = this.#options;
    try {
      const claims = await source.claim(limit);
      reasons.remove(this);
      return claims;
    } catch {
      reasons.add(this, `${source.what} cannot be looked up`);
      return [];
    }
  }

  #take(claim: Claim): void {
    const { lanes, source } = this.#options;
    const controller = new AbortController();
    const keeper = this.#keepClaim(claim, controller);
    const taken: Taken<Claim> = { claim, controller, keeper, begun: false };
    this.#taken.add(taken);
    lanes.add(source.about(claim).key, () => this.#work(taken));
  }

  async #work(taken: Taken<Claim>): Promise<void> {
    const { claim, controller, keeper } = taken;
    const { source } = this.#options;
    try {
      if (this.#stop.signal.aborted) return await this.#release(claim);
      taken.begun = true;
      const outcome = await source.attempt(claim, controller.signal);
      if (outcome === undefined) return;
      const settled = await this.#settle(claim, outcome, controller.signal);
      if (isEventError(controller.signal.reason, 'STOPPING')) return;
      source.ended(claim, settled ? outcome : undefined);
    } catch (error) {
      // The claim lapses, and it is tried again.
      if (!controller.signal.aborted) this.#reportBroken(claim, error);
    } finally {
      keeper.stop();
      this.#taken.delete(taken);
      // With half of the room free it is worth asking for more before the next poll.
      if (this.#taken.size === claimLimit >> 1) this.#wake.abort();
    }
  }

  /** Stores an outcome, however long it takes. @returns False if the claim is somebody else's, or given up. */
  async #settle(claim: Claim, outcome: Outcome, signal: AbortSignal): Promise<boolean> {
    const { source, clock, observe, reasons } = this.#options;
    const { coordinates, labels } = source.about(claim);
    const delay = new GrowingDelay(retryDelays);
    const waiting = {};
    try {
      while (!signal.aborted) {
        try {
          return await source.settle(claim, outcome);
        } catch (error) {
          reasons.add(waiting, `${source.one}s cannot be stored or looked up`);
          observe({ kind: 'dead-letter-failed', ...labels, error, coordinates });
          await clock.sleep(delay.next(), signal);
        }
      }
      return false;
    } finally {
      reasons.remove(waiting);
    }
  }

  #reportBroken(claim: Claim, error: unknown): void {
    const { source, observe } = this.#options;
    const { coordinates, labels } = source.about(claim);
    observe({ kind: 'dead-letter-failed', ...labels, error, coordinates });
  }

  async #release(claim: Claim): Promise<void> {
    const { source } = this.#options;
    // Whatever goes wrong here, the claim lapses.
    await source.release?.(claim).catch(() => {});
  }

  /** Keeps a claim; aborts `controller` when somebody else has it. */
  #keepClaim(claim: Claim, controller: AbortController): LeaseKeeper {
    const { source, clock, leaseMs } = this.#options;
    return new LeaseKeeper({
      leaseMs,
      clock,
      renew: () => source.renew(claim),
      onLost: () => {
        const { id } = source.about(claim);
        const message = `another worker, or an operator, has ${source.one} ${id} now`;
        controller.abort(new EventError('CLAIM_LOST', message, { key: id }));
      },
    }).start();
  }
}
