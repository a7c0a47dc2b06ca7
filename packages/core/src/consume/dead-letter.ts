import type { Coordinates } from '../coordinates.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import type { Message } from '../event/message.ts';

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
