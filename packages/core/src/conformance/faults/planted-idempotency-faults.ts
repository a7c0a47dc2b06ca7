import { wantedTransaction } from '../../handler-scope.ts';
import type { IdempotencyStore } from '../../idempotency/idempotency-store.ts';
import { randomIds } from '../../ids.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { forgetsRollback, storeFault } from './store-fault.ts';

const fault = storeFault<IdempotencyStore>;
const lapsed =
  'gives a lapsed claim to the next caller, and refuses the former holder from then on';

/** Ways in which an idempotency store can be wrong, each with the case of `describeIdempotencyStore` that notices it. */
export const plantedIdempotencyFaults: readonly PlantedFault<
  StoreConformanceOptions<IdempotencyStore>
>[] = [
  fault(
    'gives a held key to everybody',
    'gives a key to the first claim and holds it against the others',
    (inner) => ({
      claim: async (key, options) => {
        const claim = await inner.claim(key, options);
        return claim.status === 'held' ? { status: 'claimed', token: randomIds() } : claim;
      },
    }),
  ),
  fault(
    'looks whether a key is free before it takes it, not while',
    'gives a key to one of many concurrent claims',
    (inner) => ({
      claim: async (key, options) => {
        if (await inner.get(key)) return inner.claim(key, options);
        await inner.claim(key, options);
        return { status: 'claimed', token: randomIds() };
      },
    }),
  ),
  fault(
    'keeps the key of a failure',
    'frees the key when its holder releases it, and remembers why',
    () => ({ release: async () => true }),
  ),
  fault('never lets a claim lapse', lapsed, (inner) => ({
    claim: (key, options) => inner.claim(key, { ...options, claimMs: 3_600_000 }),
  })),
  fault('takes a stale token', lapsed, (inner) => {
    const current = new Map<string, string>();
    return {
      claim: async (key, options) => {
        const claim = await inner.claim(key, options);
        if (claim.status === 'claimed') current.set(key, claim.token);
        return claim;
      },
      complete: (key, _token, ...rest) => inner.complete(key, current.get(key)!, ...rest),
    };
  }),
  fault('renews nothing', 'holds a renewed claim for longer', () => ({ renew: async () => true })),
  fault(
    'forgets the result',
    'answers the result to every claim after the completion',
    (inner) => ({
      complete: (key, token, _result, ...rest) => inner.complete(key, token, null, ...rest),
    }),
  ),
  fault(
    'forgets a result with its claim',
    'forgets a result when its time is over, whatever the time of the claim was',
    (inner) => ({
      complete: (key, token, result, _ttlMs, options) =>
        inner.complete(key, token, result, 100, options),
    }),
  ),
  fault(
    'keeps a result for ever',
    'forgets a result when its time is over, whatever the time of the claim was',
    (inner) => ({
      complete: (key, token, result, _ttlMs, options) =>
        inner.complete(key, token, result, 3_600_000, options),
    }),
  ),
  fault(
    'does not look at the operation',
    'refuses a key that belongs to another operation, in whatever state it is',
    (inner) => ({ claim: (key, options) => inner.claim(key, { ...options, operation: 'any' }) }),
  ),
  fault(
    'makes one key of two that differ in case',
    'tells keys apart, whatever characters they have',
    (inner) => ({ claim: (key, options) => inner.claim(key.toLowerCase(), options) }),
  ),
  forgetsRollback<IdempotencyStore>(
    'keeps nothing of a claim when the transaction is rolled back, and can do it again',
  ),
  fault(
    'overlooks a transaction that it cannot join',
    'refuses by name to join a transaction with a claim',
    (inner) => ({
      claim: (key, { operation, claimMs }) => inner.claim(key, { operation, claimMs }),
    }),
  ),
  fault(
    'refuses to write inside a handler with a transaction',
    'keeps a completion at once, whatever transaction the handler that it is called in has',
    (inner) => ({
      complete: (key, token, result, ttlMs, options) =>
        inner.complete(key, token, result, ttlMs, { tx: wantedTransaction(options) }),
    }),
  ),
];
