import type { RetryPolicy } from '@waybill/core';

export { executeWithRetry, type RetryContext, type RetryPolicy } from '@waybill/core';

/** Policies for what a warehouse service usually calls. */
export const defaultRetryPolicies = {
  /** Another company's API: patient, and gentle when it is in trouble. */
  externalApi: {
    maxRetries: 5,
    baseDelayMs: 1_000,
    maxDelayMs: 30_000,
    backoffMultiplier: 2,
    jitterFactor: 0.3,
    nonRetryableErrors: ['NOT_FOUND', 'INVALID_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN'],
  },
  /** Another service of the warehouse. */
  internalService: {
    maxRetries: 4,
    baseDelayMs: 250,
    maxDelayMs: 5_000,
    backoffMultiplier: 2,
    jitterFactor: 0.3,
    nonRetryableErrors: ['NOT_FOUND', 'INVALID_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN'],
  },
  /** The database: deadlocks and lost connections pass quickly. */
  database: {
    maxRetries: 3,
    baseDelayMs: 100,
    maxDelayMs: 2_000,
    backoffMultiplier: 2,
    jitterFactor: 0.2,
    // Connection refused, reset or timed out; serialisation, deadlock, shutdown, too many connections.
    retryableErrors: [
      'STORE_UNAVAILABLE',
      'ECONNREFUSED',
      'ECONNRESET',
      'ETIMEDOUT',
      'EPIPE',
      '40001',
      '40P01',
      '57P01',
      '57P02',
      '57P03',
      '53300',
      '08000',
      '08003',
      '08006',
    ],
  },
  /** The bus: it comes back, and nobody waits for one message. */
  messaging: {
    maxRetries: 10,
    baseDelayMs: 200,
    maxDelayMs: 10_000,
    backoffMultiplier: 2,
    jitterFactor: 0.2,
  },
} as const satisfies Record<string, RetryPolicy>;
