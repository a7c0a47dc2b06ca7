import type { Coordinates } from '../coordinates.ts';
import type { Message } from '../event/message.ts';
import type { TransactionChoice } from '../transaction.ts';

/** An event that is left for a handler which another instance of the group has. */
export interface NewHandover {
  readonly group: string;
  readonly handler: string;
  /** True if the handler's name was made from its patterns. */
  readonly derived: boolean;
  readonly eventId: string;
  readonly eventType: string;
  /** Version of the event's data: an instance that knows only older ones must not take it. */
  readonly eventVersion: number;
  readonly source: string;
  readonly coordinates: Coordinates;
  /** The message exactly as it was received; its key orders the handovers of a group. */
  readonly message: Message;
}

export interface Handover extends NewHandover {
  readonly id: string;
  readonly enteredAt: Date;
}

/** A handover that a worker has taken. */
export interface HandoverClaim {
  readonly handover: Handover;
  /** Fencing token; a later claim has another one. */
  readonly token: string;
}

/** Handovers of one kind that nobody has ended. */
export interface OpenHandovers {
  readonly handler: string;
  readonly derived: boolean;
  readonly eventType: string;
  readonly eventVersion: number;
  readonly count: number;
  readonly oldest: Date;
}

/** Handovers that a worker can take: those of one handler, type and version. */
export type HandoverKind = Pick<OpenHandovers, 'handler' | 'eventType' | 'eventVersion'>;

/** What is asked about a delivery before a handler of this instance gets it. */
export interface HandoverQuestion {
  readonly group: string;
  /** The handler's name, and those that it had before. */
  readonly handlers: readonly string[];
  readonly key: string;
  readonly source: string;
  readonly eventId: string;
}

/**
 * `known`: this very event was left for the handler before, whatever became of that since. `waiting`: others
 * of its key wait for the handler. `none`: neither.
 */
export type HandoverAnswer = 'known' | 'waiting' | 'none';

/** Who decided about handovers, and why. */
export interface Retirement {
  readonly by: string;
  readonly reason: string;
}

/** Most questions that one `look` takes. */
export const maxHandoverQuestions = 100;

/**
 * Keeps events for handlers that another instance of the group has, until that one has handled them.
 *
 * Handovers of one group and key are taken oldest first, by one worker at a time; one for a handler that the
 * worker does not have does not hold up the others. Those that are done stay known until they are pruned.
 *
 * Implementations pass `describeHandoverQueue` of `@waybill/core/conformance`.
 */
export interface HandoverQueue {
  /**
   * Equal for two queues that share their handovers, and different for others, as text that outlives a
   * restart of the server; `null` for one that no second service may use.
   */
  identity(): Promise<string | null>;
  /**
   * Adds handovers in the order given. One that is known by (group, handler, source, id) stays as it is. One for
   * a handler that was retired is added as skipped.
   *
   * @throws {EventError} `STORE_UNAVAILABLE`
   */
  add(handovers: readonly NewHandover[], options?: TransactionChoice): Promise<void>;
  /**
   * Answers what handlers have to know about deliveries, in one statement.
   *
   * @returns One answer for each question, in the order given.
   * @throws {TypeError} If there are more than 100 questions.
   */
  look(questions: readonly HandoverQuestion[]): Promise<readonly HandoverAnswer[]>;
  /** What nobody has ended, oldest kind first. */
  open(group: string): Promise<readonly OpenHandovers[]>;
  /**
   * Takes handovers of these kinds that nobody has taken, or whose claim has lapsed: of each key the oldest of
   * them, unless another worker holds one of that key.
   * Whoever takes one ends every claim of its key that has lapsed, so that no former worker goes on with what
   * comes after it.
   *
   * @param options.limit Most of them; they may have one key in common, and are in their order then.
   * @param options.leaseMs How long the claims hold without renewal, in milliseconds of the queue's own clock.
   */
  claim(
    group: string,
    options: {
      readonly kinds: readonly HandoverKind[];
      readonly limit: number;
      readonly leaseMs: number;
      readonly worker: string;
    },
  ): Promise<HandoverClaim[]>;
  /** Prolongs a claim. @returns False if it was lost. */
  renew(claim: HandoverClaim, leaseMs: number): Promise<boolean>;
  /** Ends a handover: its handler has handled it, or it has a dead letter. @returns False if the claim was lost. */
  settle(claim: HandoverClaim): Promise<boolean>;
  /** Gives a claim back at once. @returns False if it was lost. */
  release(claim: HandoverClaim): Promise<boolean>;
  /**
   * Ends everything that waits for a handler which does not come back, as skipped, and what is added for it
   * later too.
   *
   * @returns How many were waiting.
   * @throws {TypeError} If nobody or no reason is named.
   */
  retire(group: string, handler: string, retirement: Retirement): Promise<number>;
  /** Takes back that handlers were retired, since an instance has them again. */
  reinstate(group: string, handlers: readonly string[]): Promise<void>;
  /** Forgets what ended longer ago than this. @returns How many. */
  prune(olderThanMs: number): Promise<number>;
}

/** @throws {TypeError} If there are more questions than one `look` takes. */
export function assertHandoverQuestions(questions: readonly HandoverQuestion[]): void {
  if (questions.length <= maxHandoverQuestions) return;
  throw new TypeError(
    `look takes up to ${maxHandoverQuestions} questions at once, got ${questions.length}`,
  );
}

/** @throws {TypeError} If nobody or no reason is named. */
export function assertRetirement({ by, reason }: Retirement): void {
  for (const [name, value] of Object.entries({ by, reason })) {
    if (typeof value === 'string' && value.trim() !== '') continue;
    throw new TypeError(`retire: ${name} must say who decided so, and why`);
  }
}
