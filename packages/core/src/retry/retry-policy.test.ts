import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EventError } from '../errors.ts';
import {
  assertRetryPolicy,
  defaultRetryPolicy,
  delayBefore,
  isRetryable,
  mergeRetryPolicy,
  type RetryPolicy,
} from './retry-policy.ts';

// Whole numbers, since a random double is next to nothing most of the time.
const delaysMs = fc.oneof(fc.nat(60_000), fc.nat(2 ** 31 - 1));
const shares = fc.nat(1_000).map((thousandths) => thousandths / 1_000);
const policies = fc.record({
  maxRetries: fc.nat(100),
  baseDelayMs: delaysMs,
  maxDelayMs: delaysMs,
  backoffMultiplier: fc.integer({ min: 10, max: 1_000 }).map((tenths) => tenths / 10),
  jitterFactor: shares,
});
const retries = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 100 }));
const randoms = fc.nat(999).map((thousandths) => thousandths / 1_000);

describe('the delay before a retry', () => {
  it('lies between nothing and the longest delay, for every policy that is allowed', () => {
    fc.assert(
      fc.property(policies, retries, randoms, (policy, retry, random) => {
        assertRetryPolicy(policy, 'policy');
        const delayMs = delayBefore(policy, retry, random);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(policy.maxDelayMs);
      }),
    );
  });

  it('strays from the plain delay by no more than the jitter', () => {
    fc.assert(
      fc.property(policies, retries, randoms, (policy, retry, random) => {
        const plain = delayBefore({ ...policy, jitterFactor: 0 }, retry, random);
        const strayed = Math.abs(delayBefore(policy, retry, random) - plain);
        expect(strayed).toBeLessThanOrEqual(plain * policy.jitterFactor + 1e-3);
      }),
    );
  });

  it('grows by the multiplier until it reaches the longest delay, and stays there', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 20 }), (policy, retry) => {
        const steady = { ...policy, jitterFactor: 0 };
        const [before, after] = [delayBefore(steady, retry, 0), delayBefore(steady, retry + 1, 0)];
        const wanted = Math.min(before * policy.backoffMultiplier, policy.maxDelayMs);
        expect(after).toBeCloseTo(wanted, 3);
      }),
    );
  });

  it('is what the documentation prints for the default', () => {
    const delays = [1, 2, 3, 6, 7].map((retry) => delayBefore(defaultRetryPolicy, retry, 0.5));
    expect(delays).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
    expect(delayBefore(defaultRetryPolicy, 1, 0)).toBe(800);
  });
});

describe('what is worth a retry', () => {
  const policy = (lists: Partial<RetryPolicy>): RetryPolicy => ({
    ...defaultRetryPolicy,
    ...lists,
  });
  const coded = (code: unknown): Error => Object.assign(new Error('x'), { code });
  const unavailable = new EventError('STORE_UNAVAILABLE', 'away', {});
  const rejected = new EventError('STORE_REJECTED', 'refused', {});

  it.each([
    ['an ordinary error', {}, new Error('x'), true],
    ['nothing at all', {}, undefined, true],
    ['our own error that passes by itself', {}, unavailable, true],
    ['our own error that does not', {}, rejected, false],
    ['a listed code', { retryableErrors: ['E1'] }, coded('E1'), true],
    ['a code that is not listed', { retryableErrors: ['E1'] }, coded('E2'), false],
    ['a listed name', { retryableErrors: ['RangeError'] }, new RangeError('x'), true],
    ['a string that is listed', { retryableErrors: ['E1'] }, 'E1', true],
    ['a refused code', { nonRetryableErrors: ['E1'] }, coded('E1'), false],
    ['both', { retryableErrors: ['E1'], nonRetryableErrors: ['E1'] }, coded('E1'), false],
    ['a number for a code', { retryableErrors: ['7'] }, coded(7), false],
  ])('%s', (_, lists, error, worth) => {
    expect(isRetryable(policy(lists), error)).toBe(worth);
  });

  it('does not fall over an error whose properties throw', () => {
    const hostile = Object.defineProperty(new Error('x'), 'code', {
      get() {
        throw new Error('do not touch');
      },
    });
    expect(isRetryable(policy({ retryableErrors: ['E1'] }), hostile)).toBe(false);
    expect(isRetryable(policy({}), hostile)).toBe(true);
  });
});

describe('a retry policy', () => {
  it.each([
    { maxRetries: -1 },
    { maxRetries: 101 },
    { maxRetries: 1.5 },
    { maxRetries: NaN },
    { maxRetries: '3' as unknown as number },
    { baseDelayMs: -1 },
    { baseDelayMs: 2 ** 31 },
    { maxDelayMs: 2 ** 31 },
    { backoffMultiplier: 0.5 },
    { backoffMultiplier: Infinity },
    { jitterFactor: 1.1 },
    { jitterFactor: -0.1 },
    { retryableErrors: 'E1' as unknown as string[] },
    { nonRetryableErrors: [7] as unknown as string[] },
    { maxRetry: 3 } as Partial<RetryPolicy>,
  ])('is refused with %o', (wrong) => {
    expect(() => assertRetryPolicy({ ...defaultRetryPolicy, ...wrong }, 'here')).toThrow(TypeError);
  });

  it('takes over what is said, and leaves what is said to be undefined', () => {
    expect(mergeRetryPolicy(defaultRetryPolicy, { maxRetries: undefined, baseDelayMs: 5 })).toEqual(
      { ...defaultRetryPolicy, baseDelayMs: 5 },
    );
  });
});
