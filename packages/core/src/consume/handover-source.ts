import type { ClaimSource } from './claim-loop.ts';
import type { GroupMembership } from './group-membership.ts';
import type { HandoverClaim, HandoverQueue } from '../transport/handover-queue.ts';
import type { Handovers } from './handovers.ts';
import type { KeptEvents } from './kept-events.ts';
import type { Observer } from '../observer.ts';
import { repeatedDelivery } from './repeated-delivery.ts';
import type { UnservedHandlers } from './unserved-handlers.ts';

/** What other instances of a group have left for handlers of this one. */
export function handoverSource(options: {
  group: string;
  worker: string;
  queue: HandoverQueue;
  leaseMs: number;
  membership: GroupMembership;
  handovers: Handovers;
  unserved: UnservedHandlers;
  keptEvents: KeptEvents;
  observe: Observer;
}): ClaimSource<HandoverClaim, 'done'> {
  const { group, worker, queue, leaseMs, membership, handovers, keptEvents, observe } = options;
  return {
    what: 'handovers',
    one: 'handover',
    async claim(limit) {
      const open = await queue.open(group);
      options.unserved.note(queue, open, membership);
      const kinds = open.filter((kind) => membership.shares.takerOf(kind) !== undefined);
      handovers.noteWaiting(queue, kinds.length > 0);
      if (kinds.length === 0) return [];
      return await queue.claim(group, { kinds, limit, leaseMs, worker });
    },
    renew: (claim) => queue.renew(claim, leaseMs),
    about({ handover }) {
      const { id, message, coordinates } = handover;
      return { id, key: message.key, labels: handovers.labelsOf(handover), coordinates };
    },
    async attempt({ handover }, signal) {
      const taker = membership.shares.takerOf(handover);
      // It was retired here in the meantime; whoever has it gets it when the claim lapses.
      if (taker === undefined) return undefined;
      await keptEvents.takeOver(repeatedDelivery(handover, signal), taker, handover.eventType);
      return signal.aborted ? undefined : 'done';
    },
    settle: (claim) => queue.settle(claim),
    release: (claim) => queue.release(claim),
    ended({ handover }, ended) {
      const outcome = ended ?? 'claim-lost';
      observe({ kind: 'handover-ended', outcome, ...handovers.labelsOf(handover) });
    },
  };
}
