import type { EventEnvelope } from '../event/envelope.ts';
import type { Message } from '../event/message.ts';
import type { TransactionChoice } from '../transaction.ts';
import type { Coordinates } from '../coordinates.ts';

export type FailureType = 'transient' | 'permanent' | 'unknown';
export type DeadLetterStatus = 'pending' | 'processing' | 'resolved' | 'skipped';

/** A failure to record: one event that one handler of one group could not handle. */
export interface NewDeadLetter {
  readonly group: string;
  /** The failing handler; empty when the message could not even be read. */
  readonly handler: string;
  readonly coordinates: Coordinates;
  /** The message exactly as it was received, headers included; a redrive reads it anew. */
  readonly message: Message;
  /** The event, when it could be decoded. Its id, type and key may be others than the message says. */
  readonly event?: EventEnvelope;
  /** What an operator looks for: the event's own id and type, or what is known of them where it could not be decoded. */
  readonly eventId?: string;
  readonly eventType?: string;
  /** One line for people, bounded and without control characters. */
  readonly failureReason: string;
  readonly failureType: FailureType;
  readonly errorCode?: string;
  readonly errorStack?: string;
  /** Attempts made in all deliveries, 1 or more. */
  readonly totalAttempts: number;
  /** Equal for failures with the same cause. */
  readonly fingerprint: string;
}

export interface DeadLetter extends NewDeadLetter {
  readonly id: string;
  readonly status: DeadLetterStatus;
  readonly enteredAt: Date;
  readonly resolvedAt?: Date;
  readonly resolvedBy?: string;
  readonly resolutionNotes?: string;
}

/** A dead letter that a consumer has taken to run again. */
export interface DeadLetterClaim {
  readonly deadLetter: DeadLetter;
  /** Fencing token; a later claim has another one. */
  readonly token: string;
}

export type RedriveOutcome =
  | { readonly status: 'resolved' }
  | {
      readonly status: 'pending';
      readonly failureReason: string;
      readonly failureType: FailureType;
      readonly errorCode?: string;
      readonly errorStack?: string;
      readonly fingerprint: string;
      readonly attempts: number;
    };

export interface DeadLetterFilter {
  readonly status?: DeadLetterStatus;
  readonly group?: string;
  readonly eventType?: string;
  readonly fingerprint?: string;
  /** Ids greater than this one; for paging. */
  readonly afterId?: string;
  /** Most entries, 1 to 1,000; 100 unless given. */
  readonly limit?: number;
}

/** Who decided about a dead letter, and why. */
export interface Resolution {
  readonly by: string;
  readonly notes: string;
}

/**
 * Keeps what could not be handled until a person or a redrive ends it.
 *
 * Implementations pass `describeDeadLetterQueue` of `@waybill/core/conformance`.
 */
export interface DeadLetterQueue {
  /**
   * Records a failure. A known (group, handler, source, id), or for unreadable messages (group,
   * coordinates), keeps its row: its attempts are added up; its reason and its message are replaced.
   *
   * @returns Id of the row.
   */
  add(deadLetter: NewDeadLetter, options?: TransactionChoice): Promise<string>;
  get(id: string): Promise<DeadLetter | null>;
  /** The dead letter of this handling, whatever its status. */
  find(key: {
    group: string;
    handler: string;
    source: string;
    eventId: string;
  }): Promise<DeadLetter | null>;
  /** The dead letter of an unreadable message. */
  findUnreadable(group: string, coordinates: Coordinates): Promise<DeadLetter | null>;
  list(filter?: DeadLetterFilter): Promise<DeadLetter[]>;
  /** Asks the failing group to run it again. @throws {EventError} `DEAD_LETTER_UNAVAILABLE` */
  redrive(id: string): Promise<void>;
  /** @throws {EventError} `DEAD_LETTER_UNAVAILABLE` */
  resolve(id: string, resolution: Resolution): Promise<void>;
  /** @throws {EventError} `DEAD_LETTER_UNAVAILABLE` */
  skip(id: string, resolution: Resolution): Promise<void>;
  /**
   * Takes entries of this group that an operator wants run again and nobody has taken, or whose
   * claim has lapsed.
   *
   * @param leaseMs How long the claim holds without renewal, in milliseconds of the queue's own clock.
   */
  claim(
    group: string,
    options: { limit: number; leaseMs: number; worker: string },
  ): Promise<DeadLetterClaim[]>;
  /** Prolongs a claim. @returns False if it was lost. */
  renew(claim: DeadLetterClaim, leaseMs: number): Promise<boolean>;
  /** Ends a claim. @returns False if it was lost; nothing is written then. */
  settle(claim: DeadLetterClaim, outcome: RedriveOutcome): Promise<boolean>;
}
