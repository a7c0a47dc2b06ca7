import type { TransactionChoice } from '../transaction.ts';

export interface IdempotencyClaimOptions extends TransactionChoice {
  /** What the key is for; another one for a known key is an error. */
  operation: string;
  /** How long the claim holds without renewal, in milliseconds of the store's own clock. */
  claimMs: number;
}

export type IdempotencyClaim =
  | { readonly status: 'claimed'; readonly token: string }
  | { readonly status: 'completed'; readonly result: unknown }
  | { readonly status: 'held' };

export interface IdempotencyRecord {
  readonly key: string;
  readonly operation: string;
  readonly status: 'processing' | 'completed' | 'failed';
  readonly result?: unknown;
  readonly error?: string;
}

/**
 * Claims a key, then completes or releases it with the token of the claim.
 *
 * Implementations pass `describeIdempotencyStore` of `@waybill/core/conformance`.
 */
export interface IdempotencyStore {
  /** @throws {EventError} `IDEMPOTENCY_MISMATCH` if the key belongs to another operation. */
  claim(key: string, options: IdempotencyClaimOptions): Promise<IdempotencyClaim>;
  /** Prolongs a claim. @returns False if it was lost. */
  renew(key: string, token: string, claimMs: number): Promise<boolean>;
  /**
   * Keeps the result for `ttlMs`.
   *
   * @param result A JSON value, or `undefined`.
   * @returns False if the claim was lost; nothing is written then.
   */
  complete(
    key: string,
    token: string,
    result: unknown,
    ttlMs: number,
    options?: TransactionChoice,
  ): Promise<boolean>;
  /** Frees the key after a failure, so that the next caller may claim it. @returns False if it was lost. */
  release(key: string, token: string, error: string): Promise<boolean>;
  /** What is known of a key; `null` if nothing is, or it has expired. */
  get(key: string): Promise<IdempotencyRecord | null>;
}
