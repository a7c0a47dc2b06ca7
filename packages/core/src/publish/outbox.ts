import type { EventError } from '../errors.ts';
import type { Message } from '../event/message.ts';
import type { TransactionChoice } from '../transaction.ts';
import type { Publish } from '../transport/publish-outcome.ts';

/** A message that its destination did not take. It holds back the later ones of its key, and nothing else. */
export interface RefusedMessage {
  /** What an operator names it by. */
  readonly id: string;
  readonly destination: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly key: string;
  /** Why, in words for people. */
  readonly reason: string;
  readonly errorCode: string;
  /** False if it is refused for good, until somebody mends something or lets it go. */
  readonly retryable: boolean;
  /** How often it was tried. */
  readonly attempts: number;
  /** When it was refused first, and when it is tried again. */
  readonly refusedAt: Date;
  readonly retryAt: Date;
}

/** What waits for one destination. */
export interface WaitingMessages {
  readonly destination: string;
  readonly waiting: number;
  /** Age of the oldest waiting message in milliseconds. */
  readonly oldestAgeMs: number;
  /** How long ago a relay last said that it works for it, in milliseconds; `null` if none ever did. */
  readonly relayedAgoMs: number | null;
}

/** What waits in the outbox. */
export interface OutboxStatus {
  readonly waiting: number;
  /** Age of the oldest waiting message in milliseconds, `null` when none waits. */
  readonly oldestAgeMs: number | null;
  /** The same for each destination, by name. */
  readonly destinations: readonly WaitingMessages[];
  /** The oldest hundred messages that were not taken. */
  readonly refused: readonly RefusedMessage[];
}

/** What a relay is told when it checks in. */
export interface RelayOrders {
  /** The mark of the server that messages went to so far; `null` before the first. */
  readonly marker: string | null;
  /** The oldest hundred messages that this destination did not take. */
  readonly refused: readonly RefusedMessage[];
  /** Destinations for which something has waited for longer than `unrelayedAfterMs`, and nobody relays. */
  readonly unrelayed: readonly string[];
}

/** What one pass over a partition did. */
export type DrainOutcome =
  | {
      readonly status: 'drained';
      /** Messages that were taken, and are forgotten. */
      readonly published: number;
      /** Messages that were not; those that wait behind them are not among them. */
      readonly refused: readonly { readonly message: Message; readonly error: EventError }[];
      /** True if there may be more that can be tried at once. */
      readonly more: boolean;
    }
  /** Another relay works on this partition. */
  | { readonly status: 'busy' };

/** A part of the outbox, and how much of it. */
export interface DrainPass {
  readonly destination: string;
  readonly partition: number;
  /** Most messages in this pass, 1 or more. */
  readonly limit: number;
}

export interface OutboxAddOptions extends TransactionChoice {
  /** Where the messages are to go: `Transport.destination`. */
  destination: string;
}

/**
 * Messages that are committed with the business data and published afterwards.
 *
 * Implementations pass `describeOutbox` of `@waybill/core/conformance`.
 */
export interface Outbox {
  /** Adds messages in the given or the handler's transaction, or in one of its own. */
  add(messages: readonly Message[], options: OutboxAddOptions): Promise<void>;
  /**
   * Publishes the oldest messages of a partition that are for this destination, in order, and forgets
   * those that were accepted.
   *
   * One that was not is tried again after a growing delay: up to five seconds if it may be taken later as
   * it is, up to a minute if it was refused for good. Until then the pass leaves out its key, whichever
   * relay asks. Only one drain per partition runs at a time, over all processes. A crash between
   * publishing and forgetting publishes again, with the same ids.
   *
   * @throws What `publish` threw; nothing is forgotten then, and no key held back.
   */
  drain(pass: DrainPass, publish: Publish): Promise<DrainOutcome>;
  /**
   * Partitions in which something for this destination can be tried now, ascending; one cheap look for a
   * relay with nothing to do.
   */
  waitingPartitions(destination: string): Promise<number[]>;
  status(): Promise<OutboxStatus>;
  /** Takes note that a relay works for this destination, and says what it has to know. */
  checkIn(destination: string): Promise<RelayOrders>;
  /**
   * Keeps the mark of a destination's server, if none is kept.
   *
   * @returns The mark that is kept now.
   */
  keepMarker(destination: string, marker: string): Promise<string>;
  /**
   * Calls `wake` when another process may have added something; a hint that may get lost.
   *
   * @returns A function that ends it.
   */
  listen?(wake: () => void): Promise<() => Promise<void>>;
}

/** Something may wait for this long before it counts that nobody relays it, in milliseconds. */
export const unrelayedAfterMs = 30_000;

/** How long a message that was not taken waits before it is tried again, in milliseconds. */
export function retryDelayMs(attempts: number, retryable: boolean): number {
  return Math.min(250 * 2 ** Math.min(attempts, 20), retryable ? 5_000 : 60_000);
}
