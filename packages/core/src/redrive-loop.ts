import type { Clock } from './clock.ts';
import type { DeadLetterClaim, DeadLetterQueue, RedriveOutcome } from './dead-letter-queue.ts';
import type { DeliveryProcessor } from './delivery-processor.ts';
import { runOutsideScope } from './handler-scope.ts';
import type { Lanes } from './lanes.ts';
import type { Observer } from './observer.ts';
import { describeFailure } from './policies/dead-letter.ts';
import type { Delivery } from './transport.ts';

const claimLimit = 20;

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
}

/**
 * Runs dead letters of one group again when an operator asks for it.
 *
 * Each goes through its key's lane like any other event, to the failing handler alone, and once: it
 * ends resolved, or pending with one attempt more. The claim is renewed while it runs.
 */
export class RedriveLoop {
  readonly #options: RedriveLoopOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: RedriveLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= runOutsideScope(() => this.#run());
  }

  /** Takes nothing more; resolves when what it took has ended or was given up. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { queue, group, worker, leaseMs, pollMs, clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let claims: DeadLetterClaim[] = [];
      try {
        claims = await queue.claim(group, { limit: claimLimit, leaseMs, worker });
      } catch {
        // The queue is away; health shows it by the dead letters that cannot be stored. Ask again later.
      }
      await Promise.all(claims.map((claim) => this.#inLane(claim)));
      if (claims.length === 0) await clock.sleep(pollMs, signal);
    }
  }

  #inLane(claim: DeadLetterClaim): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#options.lanes.add(claim.deadLetter.key, () => this.#redrive(claim).finally(resolve));
    return promise;
  }

  async #redrive(claim: DeadLetterClaim): Promise<void> {
    const { queue, group, processor, observe } = this.#options;
    const { deadLetter } = claim;
    const lost = new AbortController();
    const stopRenewing = this.#keepClaim(claim, lost);
    let outcome: RedriveOutcome = { status: 'resolved' };
    try {
      await processor.redrive(deliveryOf(claim, lost.signal), deadLetter.handler);
    } catch (error) {
      outcome = { status: 'pending', attempts: 1, ...describeFailure(error) };
    } finally {
      stopRenewing();
    }
    const settled = await queue.settle(claim, outcome).catch(() => false);
    observe({
      kind: 'redriven',
      group,
      deadLetterId: deadLetter.id,
      outcome: settled ? outcome.status : 'claim-lost',
    });
  }

  /** Renews the claim at a third of its lease; aborts `lost` when somebody else has it. */
  #keepClaim(claim: DeadLetterClaim, lost: AbortController): () => void {
    const { queue, clock, leaseMs } = this.#options;
    let cancel = clock.schedule(leaseMs / 3, renew);
    let ended = false;
    function renew(): void {
      queue.renew(claim, leaseMs).then(
        (held) => {
          if (!held) lost.abort();
          else if (!ended) cancel = clock.schedule(leaseMs / 3, renew);
        },
        () => {
          if (!ended) cancel = clock.schedule(leaseMs / 3, renew);
        },
      );
    }
    return () => {
      ended = true;
      cancel();
    };
  }
}

/** A dead letter looks to its handler like the delivery that it once was. */
function deliveryOf({ deadLetter }: DeadLetterClaim, signal: AbortSignal): Delivery {
  const { raw, contentType, key, coordinates } = deadLetter;
  return {
    message: {
      id: deadLetter.eventId ?? '',
      type: deadLetter.eventType ?? '',
      key,
      contentType,
      body: raw,
    },
    coordinates,
    deliveryCount: undefined,
    signal,
    settle() {},
  };
}
