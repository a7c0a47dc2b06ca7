import type { DeadLetterClaim, DeadLetterQueue } from '../../consume/dead-letter-queue.ts';
import type { Message } from '../../event/message.ts';
import { chosenTransaction } from '../../handler-scope.ts';
import { randomIds } from '../../ids.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { headerFaults, withoutHeaders } from './header-faults.ts';
import { forgetsRollback, storeFault } from './store-fault.ts';

const fault = storeFault<DeadLetterQueue>;
const comesAgain =
  'keeps one row for a failure that comes again: attempts are added up, the reason is the last';
const lapsed = 'gives a lapsed claim to the next worker, and refuses the former one from then on';
const forTheGroup = 'gives an entry to the failing group alone, whole and once';
const failedAgain =
  'ends pending with its attempts added up when the redrive failed, and can be asked for again';

const whole =
  'gives back the message as it was received, whoever looks, and the last one where it came again';

const recordingFaults = [
  fault('makes a row for every failure', comesAgain, (inner) => ({
    add: (failure, options) =>
      inner.add({ ...failure, event: { ...failure.event!, id: randomIds() } }, options),
  })),
  fault('forgets attempts made before', comesAgain, (inner) => ({
    get: async (id) => {
      const row = await inner.get(id);
      return row && { ...row, totalAttempts: Math.min(row.totalAttempts, 3) };
    },
  })),
  fault('keeps the first reason', comesAgain, (inner) => ({
    get: async (id) => {
      const row = await inner.get(id);
      return row && { ...row, failureReason: 'first' };
    },
  })),
  fault('keeps raw bytes as text', 'keeps what cannot be read, byte for byte', (inner) => ({
    add: (failure, options) => inner.add(withMessage(failure, asText(failure.message)), options),
  })),
  ...headerFaults.map(({ name, change }) =>
    fault(name, whole, (inner) => ({
      add: (failure, options) => inner.add(withMessage(failure, change(failure.message)), options),
    })),
  ),
  fault('forgets headers', whole, (inner) => ({
    add: (failure, options) =>
      inner.add(withMessage(failure, withoutHeaders(failure.message)), options),
  })),
  fault('takes the id of the message from its event', whole, (inner) => ({
    add: (failure, options) => {
      const { id = failure.message.id } = failure.event ?? {};
      return inner.add(withMessage(failure, { ...failure.message, id }), options);
    },
  })),
  fault('spells out control characters in a key', whole, (inner) => ({
    add: (failure, options) => {
      const key = failure.message.key.replaceAll('\0', String.raw`\x00`);
      return inner.add(withMessage(failure, { ...failure.message, key }), options);
    },
  })),
  fault('keeps the first message of a failure that comes again', whole, (inner) => {
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
  fault('gives workers the message without its headers', whole, (inner) => ({
    claim: async (group, options) => {
      const claims = await inner.claim(group, options);
      return claims.map(({ deadLetter, token }) => ({
        deadLetter: withMessage(deadLetter, withoutHeaders(deadLetter.message)),
        token,
      }));
    },
  })),
  fault(
    'finds unreadable messages by their position alone',
    'keeps what cannot be read, byte for byte',
    (inner) => ({
      findUnreadable: (group, coordinates) =>
        inner.findUnreadable(group, { ...coordinates, partition: 3 }),
    }),
  ),
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

function withMessage<Letter extends { readonly message: Message }>(
  letter: Letter,
  message: Message,
): Letter {
  return { ...letter, message };
}

function asText(message: Message): Message {
  return { ...message, body: Buffer.from(message.body).toString('utf8') };
}

/** Ways in which a dead-letter queue can be wrong, each with the case of `describeDeadLetterQueue` that notices it. */
export const plantedDeadLetterFaults: readonly PlantedFault<
  StoreConformanceOptions<DeadLetterQueue>
>[] = [
  ...recordingFaults,
  ...redriveFaults,
  forgetsRollback<DeadLetterQueue>(
    'keeps nothing of a dead letter when the transaction is rolled back, and can do it again',
  ),
  fault(
    'overlooks a transaction that it cannot join',
    'refuses by name to join a transaction with a dead letter',
    (inner) => ({ add: (failure) => inner.add(failure) }),
  ),
  fault(
    'refuses to write inside a handler with a transaction',
    'keeps a dead letter at once, whatever transaction the handler that it is called in has',
    (inner) => ({
      add: (failure, options) => inner.add(failure, { tx: chosenTransaction(options) }),
    }),
  ),
];
