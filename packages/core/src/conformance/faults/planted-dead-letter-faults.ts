import type { DeadLetterClaim, DeadLetterQueue } from '../../consume/dead-letter-queue.ts';
import type { Message } from '../../event/message.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { withMessage, withoutHeaders } from './header-faults.ts';
import { sinkFaults } from './planted-dead-letter-sink-faults.ts';
import { storeFault } from './store-fault.ts';

const fault = storeFault<DeadLetterQueue>;
const lapsed = 'gives a lapsed claim to the next worker, and refuses the former one from then on';
const forTheGroup = 'gives an entry to the failing group alone, whole and once';
const failedAgain =
  'ends pending with its attempts added up when the redrive failed, and can be asked for again';

const whole =
  'gives operators and workers the message as it was received, and the last one where it came again';

const listingFaults = [
  fault(
    'leaves a row closed when the failure comes back',
    'opens a row again when the failure comes back after somebody had ended it',
    (inner) => ({
      add: async (failure, options) => {
        const id = await inner.add(failure, options);
        if ((await inner.get(id))!.totalAttempts > 1) {
          await inner.resolve(id, { by: 'archive', notes: 'closed before' });
        }
        return id;
      },
    }),
  ),
  fault(
    'lists a failure once for each time that it came',
    'shows by its id, and once, a failure that came again',
    (inner) => ({
      list: async (filter) => {
        const rows = await inner.list(filter);
        return rows.flatMap((row) => Array.from({ length: row.totalAttempts }, () => row));
      },
    }),
  ),
  fault('lists its first page only', 'pages through everything once', (inner) => ({
    list: (filter) => inner.list({ ...filter, afterId: undefined }),
  })),
  fault(
    'forgets a filter',
    'filters by status, group, type and fingerprint, and by all of them together',
    (inner) => ({ list: (filter) => inner.list({ ...filter, eventType: undefined }) }),
  ),
];

const redriveFaults = [
  fault('gives workers the message without its headers', whole, (inner) => ({
    claim: async (group, options) => {
      const claims = await inner.claim(group, options);
      return claims.map(({ deadLetter, token }) => ({
        deadLetter: withMessage(deadLetter, withoutHeaders(deadLetter.message)),
        token,
      }));
    },
  })),
  fault('shows operators the first message of a failure that comes again', whole, (inner) => {
    const first = new Map<string, Message>();
    return {
      add: async (failure, options) => {
        const id = await inner.add(failure, options);
        if (!first.has(id)) first.set(id, failure.message);
        return id;
      },
      get: async (id) => {
        const row = await inner.get(id);
        return row && withMessage(row, first.get(id)!);
      },
    };
  }),
  fault(
    'runs entries again that nobody asked for',
    'gives an entry to nobody before an operator asks for it',
    (inner) => ({
      add: async (failure, options) => {
        const id = await inner.add(failure, options);
        await inner.redrive(id);
        return id;
      },
    }),
  ),
  fault('gives entries to any group', forTheGroup, (inner) => ({
    claim: async (_group, options) => [
      ...(await inner.claim('billing', options)),
      ...(await inner.claim('shipping', options)),
    ],
  })),
  fault('gives an entry to two workers', forTheGroup, (inner) => {
    let before: DeadLetterClaim[] = [];
    return {
      claim: async (group, options) => {
        const claims = await inner.claim(group, options);
        if (claims.length > 0) before = claims;
        return group === 'billing' ? before : claims;
      },
    };
  }),
  fault('never lets a claim lapse', lapsed, (inner) => ({
    claim: (group, options) => inner.claim(group, { ...options, leaseMs: 3_600_000 }),
  })),
  fault('takes a stale token', lapsed, (inner) => {
    const current = new Map<string, DeadLetterClaim>();
    return {
      claim: async (group, options) => {
        const claims = await inner.claim(group, options);
        for (const claim of claims) current.set(claim.deadLetter.id, claim);
        return claims;
      },
      settle: (claim, outcome) => inner.settle(current.get(claim.deadLetter.id)!, outcome),
    };
  }),
  fault('renews nothing', 'holds a renewed claim for longer', () => ({ renew: async () => true })),
  fault('does not count the attempts of a redrive', failedAgain, (inner) => ({
    settle: (claim, outcome) =>
      inner.settle(claim, outcome.status === 'pending' ? { ...outcome, attempts: 0 } : outcome),
  })),
  fault('keeps running what failed again', failedAgain, (inner) => ({
    settle: async (claim, outcome) => {
      const settled = await inner.settle(claim, outcome);
      if (outcome.status === 'pending') await inner.redrive(claim.deadLetter.id);
      return settled;
    },
  })),
  fault(
    'lets the second operator win',
    'refuses the second of two operators who end one entry',
    (inner) => ({ skip: (id, resolution) => inner.skip(id, resolution).catch(() => undefined) }),
  ),
];

/** Ways in which a dead-letter queue can be wrong, each with the case of `describeDeadLetterQueue` that notices it. */
export const plantedDeadLetterFaults: readonly PlantedFault<
  StoreConformanceOptions<DeadLetterQueue>
>[] = [...sinkFaults<DeadLetterQueue>(), ...listingFaults, ...redriveFaults];
