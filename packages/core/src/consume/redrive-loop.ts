import type { Clock } from '../clock.ts';
import type { DeadLetterClaim, DeadLetterQueue, RedriveOutcome } from './dead-letter-queue.ts';
import type { DeliveryProcessor, UnfinishedDelivery } from './delivery-processor.ts';
import { EventError, isEventError } from '../errors.ts';
import { GrowingDelay } from '../growing-delay.ts';
import type { HealthReasons } from '../health.ts';
import type { Lanes } from './lanes.ts';
import { LeaseKeeper } from '../lease-keeper.ts';
import type { Observer } from '../observer.ts';
import { describeFailure } from './policies/dead-letter.ts';
import type { Delivery } from '../transport/transport.ts';

/** Most dead letters that one worker has taken at once. */
const claimLimit = 20;
/** Pauses between two tries to store an outcome. */
const retryDelays = { firstMs: 100, maxMs: 5_000 };

interface RedriveLoopOptions {
  group: string;
  worker: string;
  queue: DeadLetterQueue;
  pollMs: number;
  leaseMs: number;
  lanes: Lanes;
  processor: DeliveryProcessor;
  clock: Clock;
  observe: Observer;
  reasons: HealthReasons;
}

/** A dead letter from its claim to its end. */
interface Taken {
  readonly claim: DeadLetterClaim;
  /** Aborted when somebody else has the claim, or when it is given up. */
  readonly controller: AbortController;
  readonly keeper: LeaseKeeper;
  begun: boolean;
}

/**
 * Runs dead letters of one group again when an operator asks for it.
 *
 * Each goes through its key's lane like any other event, to the failing handler alone, and once: it
 * ends resolved, or pending with one attempt more. Its claim is renewed from the moment it is taken.
 */
export class RedriveLoop {
  readonly #options: RedriveLoopOptions;
  readonly #stop = new AbortController();
  readonly #taken = new Set<Taken>();
  #wake = new AbortController();
  #paused = false;
  #running: Promise<void> | undefined;

  constructor(options: RedriveLoopOptions) {
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

  /** Takes nothing more, and leaves what has not begun to another worker; resolves when the loop has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
    this.#options.reasons.remove(this);
  }

  /** Gives up everything under way: its claims lapse, and another worker takes them. */
  abandon(reason: EventError): UnfinishedDelivery[] {
    const { group, observe } = this.#options;
    return [...this.#taken].map(({ claim, controller, keeper, begun }) => {
      keeper.stop();
      controller.abort(reason);
      const { eventId = '', handler, coordinates } = claim.deadLetter;
      const unfinished = { eventId, handler: begun ? handler : undefined, coordinates };
      observe({ kind: 'left-unfinished', group, ...unfinished });
      return unfinished;
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const room = this.#paused ? 0 : claimLimit - this.#taken.size;
      const claims = room > 0 ? await this.#claim(room) : [];
      // What is claimed during a stop is left to lapse.
      if (signal.aborted) return;
      for (const claim of claims) this.#take(claim);
      if (claims.length < Math.max(room, 1)) {
        await this.#options.clock.sleep(this.#options.pollMs, this.#wake.signal);
      }
    }
  }

  async #claim(limit: number): Promise<DeadLetterClaim[]> {
    const { queue, group, worker, leaseMs, reasons } = this.#options;
    try {
      const claims = await queue.claim(group, { limit, leaseMs, worker });
      reasons.remove(this);
      return claims;
    } catch {
      reasons.add(this, 'dead letters to be run again cannot be looked up');
      return [];
    }
  }

  #take(claim: DeadLetterClaim): void {
    const controller = new AbortController();
    const keeper = this.#keepClaim(claim, controller);
    const taken: Taken = { claim, controller, keeper, begun: false };
    this.#taken.add(taken);
    this.#options.lanes.add(claim.deadLetter.message.key, () => this.#redrive(taken));
  }

  async #redrive(taken: Taken): Promise<void> {
    const { claim, controller, keeper } = taken;
    const { group, observe } = this.#options;
    try {
      if (this.#stop.signal.aborted) return;
      taken.begun = true;
      const outcome = await this.#attempt(claim, controller.signal);
      const settled = await this.#settle(claim, outcome, controller.signal);
      if (isEventError(controller.signal.reason, 'STOPPING')) return;
      observe({
        kind: 'redriven',
        group,
        deadLetterId: claim.deadLetter.id,
        outcome: settled ? outcome.status : 'claim-lost',
      });
    } finally {
      keeper.stop();
      this.#taken.delete(taken);
      // With half of the room free it is worth asking for more before the next poll.
      if (this.#taken.size === claimLimit >> 1) this.#wake.abort();
    }
  }

  async #attempt(claim: DeadLetterClaim, signal: AbortSignal): Promise<RedriveOutcome> {
    const { processor } = this.#options;
    try {
      await processor.redrive(deliveryOf(claim, signal), claim.deadLetter.handler);
      return { status: 'resolved' };
    } catch (error) {
      return { status: 'pending', attempts: 1, ...describeFailure(error) };
    }
  }

  /** Stores an outcome, however long it takes. @returns False if the claim is somebody else's, or given up. */
  async #settle(
    claim: DeadLetterClaim,
    outcome: RedriveOutcome,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { queue, group, clock, observe, reasons } = this.#options;
    const { coordinates } = claim.deadLetter;
    const delay = new GrowingDelay(retryDelays);
    try {
      while (!signal.aborted) {
        try {
          return await queue.settle(claim, outcome);
        } catch (error) {
          reasons.add(claim, 'dead letters cannot be stored or looked up');
          observe({ kind: 'dead-letter-failed', group, error, coordinates });
          await clock.sleep(delay.next(), signal);
        }
      }
      return false;
    } finally {
      reasons.remove(claim);
    }
  }

  /** Keeps a claim; aborts `controller` when somebody else has it. */
  #keepClaim(claim: DeadLetterClaim, controller: AbortController): LeaseKeeper {
    const { queue, clock, leaseMs } = this.#options;
    return new LeaseKeeper({
      leaseMs,
      clock,
      renew: () => queue.renew(claim, leaseMs),
      onLost: () => {
        const { id } = claim.deadLetter;
        const message = `another worker, or an operator, has dead letter ${id} now`;
        controller.abort(new EventError('CLAIM_LOST', message, { key: id }));
      },
    }).start();
  }
}

/** A dead letter looks to its handler like the delivery that it once was. */
function deliveryOf({ deadLetter }: DeadLetterClaim, signal: AbortSignal): Delivery {
  const { message, coordinates } = deadLetter;
  return {
    message,
    coordinates,
    deliveryCount: undefined,
    mayBeRepeated: true,
    signal,
    settle() {},
  };
}
