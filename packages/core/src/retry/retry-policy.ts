import { isEventError } from '../errors.ts';
import { assertKnownOptions, assertRange, type OptionNames } from '../options.ts';
import { readThrown } from '../thrown.ts';

/** When to try again, and how long to wait before. */
export interface RetryPolicy {
  /** Attempts after the first one, 0 to 100. */
  maxRetries: number;
  /** Delay before the first retry in milliseconds. */
  baseDelayMs: number;
  /** No delay is longer than this, in milliseconds. */
  maxDelayMs: number;
  /** Each delay is this many times the one before, 1 or more. */
  backoffMultiplier: number;
  /** Share of the delay that is random, 0 to 1: with 0.3 a delay of 1,000 ms lies between 700 and 1,300. */
  jitterFactor: number;
  /** Codes or names of errors that are worth a retry; when given, no others are. */
  retryableErrors?: readonly string[];
  /** Codes or names of errors that are not worth a retry; wins over `retryableErrors`. */
  nonRetryableErrors?: readonly string[];
}

const policyOptions: OptionNames<RetryPolicy> = {
  maxRetries: true,
  baseDelayMs: true,
  maxDelayMs: true,
  backoffMultiplier: true,
  jitterFactor: true,
  retryableErrors: true,
  nonRetryableErrors: true,
};

/** What handlers get unless they ask for something else. */
export const defaultRetryPolicy: RetryPolicy = {
  maxRetries: 3,
  baseDelayMs: 1_000,
  maxDelayMs: 30_000,
  backoffMultiplier: 2,
  jitterFactor: 0.2,
};

/**
 * The delay before a retry, in milliseconds.
 *
 * @param retry 1 for the first retry.
 * @param random From 0 to below 1.
 * @returns From 0 to `maxDelayMs`.
 */
export function delayBefore(policy: RetryPolicy, retry: number, random: number): number {
  const grown = policy.baseDelayMs * policy.backoffMultiplier ** (retry - 1);
  const capped = Math.min(grown, policy.maxDelayMs);
  const jittered = capped * (1 + policy.jitterFactor * (2 * random - 1));
  return Math.min(Math.max(jittered, 0), policy.maxDelayMs);
}

/**
 * Says whether an error is worth another attempt.
 *
 * Errors are known by `code`, then by `name`. Without lists, everything is worth a retry but our own
 * errors that say they are not.
 */
export function isRetryable(policy: RetryPolicy, error: unknown): boolean {
  const names = namesOf(error);
  if (policy.nonRetryableErrors?.some((name) => names.includes(name))) return false;
  if (policy.retryableErrors) return policy.retryableErrors.some((name) => names.includes(name));
  return isEventError(error) ? error.retryable : true;
}

/** The policy `base` with what `said` says otherwise; what is `undefined` there says nothing. */
export function mergeRetryPolicy(
  base: RetryPolicy,
  said: Partial<RetryPolicy> | undefined,
): RetryPolicy {
  const given = Object.entries(said ?? {}).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(given) };
}

/** @throws {TypeError} If a number is outside its range, or an option is not known. */
export function assertRetryPolicy(policy: RetryPolicy, where: string): void {
  assertKnownOptions(`${where}: retry`, policy, policyOptions);
  assertRange(where, 'maxRetries', policy.maxRetries, 0, 100, true);
  assertRange(where, 'baseDelayMs', policy.baseDelayMs, 0, 2 ** 31 - 1);
  assertRange(where, 'maxDelayMs', policy.maxDelayMs, 0, 2 ** 31 - 1);
  assertRange(where, 'backoffMultiplier', policy.backoffMultiplier, 1, 100);
  assertRange(where, 'jitterFactor', policy.jitterFactor, 0, 1);
  assertNames(where, 'retryableErrors', policy.retryableErrors);
  assertNames(where, 'nonRetryableErrors', policy.nonRetryableErrors);
}

function assertNames(where: string, name: string, names: readonly string[] | undefined): void {
  if (names === undefined) return;
  if (Array.isArray(names) && names.every((each) => typeof each === 'string')) return;
  throw new TypeError(`${where}: ${name} must be a list of error codes or names`);
}

function namesOf(error: unknown): string[] {
  if (typeof error === 'string') return [error];
  const names = [readThrown(error, 'code'), readThrown(error, 'name')];
  return names.filter((value) => typeof value === 'string');
}
