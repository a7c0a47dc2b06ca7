export {
  defaultRetryPolicies,
  executeWithRetry,
  type RetryContext,
  type RetryPolicy,
} from './retry.ts';
export {
  generateIdempotencyKey,
  IdempotencyHandler,
  type IdempotencyHandlerConfig,
  type IdempotencyKeyParts,
} from './idempotency.ts';
