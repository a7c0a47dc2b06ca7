import type { ClaimSource } from './claim-loop.ts';
import type { DeadLetterClaim, DeadLetterQueue, RedriveOutcome } from './dead-letter-queue.ts';
import type { KeptEvents } from './kept-events.ts';
import type { Observer } from '../observer.ts';
import { aboutDeadLetter, describeFailure } from './policies/dead-letter.ts';
import { repeatedDelivery } from './repeated-delivery.ts';

/**
 * Dead letters of one group that an operator wants run again.
 *
 * Each goes to the failing handler alone, and once: it ends resolved, or pending with one attempt more.
 */
export function redriveSource(options: {
  group: string;
  worker: string;
  queue: DeadLetterQueue;
  leaseMs: number;
  keptEvents: KeptEvents;
  observe: Observer;
}): ClaimSource<DeadLetterClaim, RedriveOutcome> {
  const { group, worker, queue, leaseMs, keptEvents, observe } = options;
  return {
    what: 'dead letters to be run again',
    one: 'dead letter',
    claim: (limit) => queue.claim(group, { limit, leaseMs, worker }),
    renew: (claim) => queue.renew(claim, leaseMs),
    about({ deadLetter }) {
      const { id, message, coordinates } = deadLetter;
      return { id, key: message.key, labels: aboutDeadLetter(deadLetter), coordinates };
    },
    async attempt({ deadLetter }, signal) {
      try {
        await keptEvents.redrive(repeatedDelivery(deadLetter, signal), deadLetter.handler);
        return { status: 'resolved' };
      } catch (error) {
        return { status: 'pending', attempts: 1, ...describeFailure(error) };
      }
    },
    settle: (claim, outcome) => queue.settle(claim, outcome),
    ended({ deadLetter }, ended) {
      const outcome = ended?.status ?? 'claim-lost';
      observe({
        kind: 'redriven',
        ...aboutDeadLetter(deadLetter),
        deadLetterId: deadLetter.id,
        outcome,
      });
    },
  };
}
