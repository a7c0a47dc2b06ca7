import type { TransactionChoice } from '../transaction.ts';
import type { Message } from '../event/message.ts';

/** What waits in the outbox. */
export interface OutboxStatus {
  readonly waiting: number;
  /** Age of the oldest waiting message in milliseconds, `null` when none waits. */
  readonly oldestAgeMs: number | null;
}

/** What one pass over a partition did. */
export type DrainOutcome =
  | { readonly status: 'drained'; readonly published: number; readonly more: boolean }
  /** Another relay works on this partition. */
  | { readonly status: 'busy' };

/**
 * Messages that are committed with the business data and published afterwards.
 *
 * Implementations pass `describeOutbox` of `@waybill/core/conformance`.
 */
export interface Outbox {
  /** Adds messages in the given or the handler's transaction, or in one of its own. */
  add(messages: readonly Message[], options?: TransactionChoice): Promise<void>;
  /**
   * Publishes the oldest messages of a partition, in order, and forgets them.
   *
   * Only one drain per partition runs at a time, over all processes. A crash between publishing and
   * forgetting publishes again, with the same ids.
   *
   * @param limit Most messages in this pass, 1 or more.
   * @throws What `publish` threw; nothing is forgotten then.
   */
  drain(
    partition: number,
    limit: number,
    publish: (messages: readonly Message[]) => Promise<unknown>,
  ): Promise<DrainOutcome>;
  /** Partitions in which something waits, ascending; one cheap look for a relay with nothing to do. */
  waitingPartitions(): Promise<number[]>;
  status(): Promise<OutboxStatus>;
  /**
   * Calls `wake` when another process may have added something; a hint that may get lost.
   *
   * @returns A function that ends it.
   */
  listen?(wake: () => void): Promise<() => Promise<void>>;
}
