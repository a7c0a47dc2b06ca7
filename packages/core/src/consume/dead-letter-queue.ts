import type { DeadLetterSink } from './dead-letter-sink.ts';
import type { DeadLetter, DeadLetterStatus, FailureType } from './dead-letter.ts';

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
 * Keeps what could not be handled until a person or a redrive ends it: what operators, and the groups
 * that run dead letters again, need beyond recording them.
 *
 * Implementations pass `describeDeadLetterQueue` of `@waybill/core/conformance`.
 */
export interface DeadLetterQueue extends DeadLetterSink {
  get(id: string): Promise<DeadLetter | null>;
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

const beyondSink = [
  'get',
  'list',
  'redrive',
  'resolve',
  'skip',
  'claim',
  'renew',
  'settle',
] as const satisfies readonly Exclude<keyof DeadLetterQueue, keyof DeadLetterSink>[];

/** Says whether dead letters can be looked at, decided about and run again, or recorded only. */
export function isDeadLetterQueue(sink: DeadLetterSink): sink is DeadLetterQueue {
  const queue: Partial<DeadLetterQueue> = sink;
  return beyondSink.every((name) => typeof queue[name] === 'function');
}
