import { systemClock, type Clock } from '../clock.ts';
import { EventError } from '../errors.ts';
import { silentLogger, type Logger } from '../observer.ts';
import { assertKnownOptions, type OptionNames } from '../options.ts';
import { assertRetryPolicy, delayBefore, isRetryable, type RetryPolicy } from './retry-policy.ts';

/** What an operation is called in errors and logs, and what it may be told from outside. */
export interface RetryContext {
  operationName: string;
  sagaId?: string;
  /** Ends the waiting between attempts; the last error is thrown. */
  signal?: AbortSignal;
  logger?: Logger;
  clock?: Clock;
  random?: () => number;
}

const contextOptions: OptionNames<RetryContext> = {
  operationName: true,
  sagaId: true,
  signal: true,
  logger: true,
  clock: true,
  random: true,
};

/**
 * Runs an operation until it succeeds or the policy gives up.
 *
 * @returns What the operation returned.
 * @throws The operation's own error if it is not worth a retry.
 * @throws {EventError} `RETRIES_EXHAUSTED` with the last error as `cause`.
 * @throws {TypeError} If the policy is out of range, or an option is not known.
 */
export async function executeWithRetry<T>(
  operation: () => Promise<T> | T,
  policy: RetryPolicy,
  context: RetryContext,
): Promise<T> {
  const {
    operationName,
    signal,
    logger = silentLogger,
    clock = systemClock,
    random = Math.random,
  } = context;
  assertRetryPolicy(policy, operationName);
  assertKnownOptions(operationName, context, contextOptions);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await operation();
    } catch (error) {
      if (!isRetryable(policy, error)) throw error;
      if (attempt > policy.maxRetries) {
        throw new EventError(
          'RETRIES_EXHAUSTED',
          `${operationName} failed ${attempt} times; the last error is the cause`,
          { operation: operationName, attempts: attempt },
          { cause: error },
        );
      }
      const delayMs = delayBefore(policy, attempt, random());
      logger.warn(
        { operationName, sagaId: context.sagaId, attempt, delayMs, error },
        'attempt failed, will retry',
      );
      await clock.sleep(delayMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}
