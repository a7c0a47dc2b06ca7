import type { StandardSchemaV1 } from '@standard-schema/spec';

import { aboutEvent } from '../../event/about-event.ts';
import type { EventLabels } from '../../observer.ts';
import type { Abort } from '../abort.ts';
import type { Catalogue } from '../../event/catalogue.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { EventError } from '../../errors.ts';
import type { Handler } from '../handler.ts';
import type { RetryPolicy } from '../../retry/retry-policy.ts';
import type { Delivery } from '../../transport/transport.ts';
import type { TypeMatcher } from '../../event/patterns.ts';

/** A handler with everything that was agreed about it. */
export interface Registration {
  /** Stable over restarts: part of the inbox key and of its dead letters. */
  readonly name: string;
  /** True if the name was made from the patterns. */
  readonly derived: boolean;
  /** Names that it had before: what was kept under them is its own. */
  readonly formerly: readonly string[];
  readonly patterns: readonly string[];
  readonly matches: TypeMatcher;
  readonly handler: Handler;
  readonly schema: StandardSchemaV1 | Catalogue | undefined;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly inbox: boolean;
  /** The whole chain of policies around the handler, and the part that a redrive runs once. */
  readonly run: Step;
  readonly runOnce: Step;
}

/** One event on its way through the policies to one handler. */
export interface Invocation {
  readonly registration: Registration;
  readonly delivery: Delivery;
  /** What the event was called before a handler could change it. */
  readonly identity: EventIdentity;
  /** Reads the event anew, since a handler may have changed the one that it was given. */
  readonly reread: () => EventEnvelope;
  /** Aborted on timeout, on loss of ownership and at the deadline of a stop. */
  readonly abort: Abort;
  /** Says that somebody else owns the message now: it is neither settled nor made a dead letter here. */
  readonly giveUp: (reason: EventError) => void;
  /** Number of the attempt within this delivery, from 1 on. */
  readonly attempt: number;
  readonly tx: object | undefined;
  /** Why the handler is not called any more: unless its effect is there already, the event has failed. */
  readonly refusal: EventError | undefined;
  /** Runs something once the effect is committed; at once where there is no transaction. */
  readonly afterCommit: (run: () => void) => void;
  /** Waits for something while events of other keys are handled in its place; those of the same key wait, too. */
  readonly stepAside: (wait: () => Promise<void>) => Promise<void>;
  /** Shared by all attempts of this delivery. */
  readonly progress: Progress;
}

export type EventIdentity = Readonly<
  Pick<EventEnvelope, 'id' | 'source' | 'type' | 'correlationId'>
>;

export interface Progress {
  /** Attempts that reached the handler or were its to answer for. */
  attempts: number;
  /** The current attempt has reached the handler. */
  entered: boolean;
  /** How often somebody else has ended the connection of its transaction. */
  lostConnections: number;
}

/** One link of the chain. Rejecting means "not handled". */
export type Step = (event: EventEnvelope, invocation: Invocation) => Promise<void>;

/** Wraps the next link in one policy. */
export type Policy = (next: Step) => Step;

/** What an observation says of the event of an invocation. */
export function aboutInvocation(
  { identity, registration, delivery, attempt }: Invocation,
  group: string,
): EventLabels & {
  readonly handler: string;
  readonly eventType: string;
  readonly eventId: string;
} {
  const { name: handler } = registration;
  const { key } = delivery.message;
  const { type: eventType, id: eventId } = identity;
  return { ...aboutEvent(identity, { group, key, attempt }), eventType, eventId, handler };
}
