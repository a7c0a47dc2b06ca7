import { createHash } from 'node:crypto';

import type { Clock } from '../../clock.ts';
import { BatchedLookup } from '../batched-lookup.ts';
import { maxDeadLetterKeys, type DeadLetterKey, type DeadLetterSink } from '../dead-letter-sink.ts';
import type { DeadLetter, FailureType, NewDeadLetter } from '../dead-letter.ts';
import { EventError, isEventError } from '../../errors.ts';
import { GrowingDelay } from '../../growing-delay.ts';
import type { HealthReasons } from '../../health.ts';
import { aboutEvent, aboutMessage } from '../../event/about-event.ts';
import type { EventLabels, Observer } from '../../observer.ts';
import { messageOfThrown, readThrown } from '../../thrown.ts';
import type { Delivery } from '../../transport/transport.ts';
import type { EventIdentity, Invocation, Policy, Registration } from './step.ts';

const maxReasonLength = 2_000;
const maxCodeLength = 255;
const maxStackLength = 8_000;
/** Pauses between two tries to store a dead letter. */
const retryDelays = { firstMs: 100, maxMs: 5_000 };

/**
 * Records what could not be handled, with its reason, so that the message may be settled.
 *
 * The row comes before the settlement. A crash between the two delivers the message again, which is
 * then recognised by its dead letter. Where the row cannot be stored, it is tried until it can, or
 * until the message is no longer ours.
 */
export function deadLetter(recorder: DeadLetterRecorder): Policy {
  return (next) => (event, invocation) => {
    const handle = (): Promise<void> =>
      next(event, invocation).catch((error: unknown) => record(error, invocation));
    if (!invocation.delivery.mayBeRepeated) return handle();
    return isKnown(invocation).then((known) => (known ? undefined : handle()));
  };

  function isKnown({ registration, identity, abort }: Invocation): Promise<boolean> {
    return recorder.isKnown(registration, identity, abort.signal);
  }

  async function record(error: unknown, invocation: Invocation): Promise<void> {
    const { registration, delivery, identity, progress, abort } = invocation;
    if (abort.aborted) throw error;
    await recorder.record(
      {
        ...describe(delivery, error),
        handler: registration.name,
        event: invocation.reread(),
        eventId: identity.id,
        eventType: identity.type,
        totalAttempts: Math.max(progress.attempts, 1),
      },
      error,
      abort.signal,
    );
  }
}

/** Stores dead letters for one group, however long it takes. */
export class DeadLetterRecorder {
  readonly #group: string;
  readonly #sink: DeadLetterSink;
  readonly #lookup: BatchedLookup<DeadLetterKey, DeadLetter | null>;
  readonly #clock: Clock;
  readonly #observe: Observer;
  readonly #reasons: HealthReasons;

  constructor(options: {
    group: string;
    sink: DeadLetterSink;
    clock: Clock;
    observe: Observer;
    reasons: HealthReasons;
  }) {
    this.#group = options.group;
    this.#sink = options.sink;
    this.#lookup = new BatchedLookup((keys) => options.sink.find(keys), maxDeadLetterKeys);
    this.#clock = options.clock;
    this.#observe = options.observe;
    this.#reasons = options.reasons;
  }

  /** Says whether this handling has a dead letter already, under any name of the handler; reports it if so. */
  async isKnown(
    { name, formerly }: Pick<Registration, 'name' | 'formerly'>,
    event: EventIdentity,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { source, id: eventId } = event;
    const keys = [name, ...formerly].map((handler) => {
      return { group: this.#group, handler, source, eventId };
    });
    const about = aboutEvent(event, { group: this.#group, handler: name });
    return await this.#isKnown(keys, about, signal);
  }

  /** Says whether a message that cannot be read has a dead letter already; reports it if so. */
  async isKnownUnreadable(delivery: Delivery, signal: AbortSignal): Promise<boolean> {
    const key = { group: this.#group, coordinates: delivery.coordinates };
    const about = aboutMessage(delivery.message, this.#group, '');
    return await this.#isKnown([key], about, signal);
  }

  /** Stores one dead letter and reports it. @throws The storing error once `signal` is aborted. */
  async record(
    entry: Omit<NewDeadLetter, 'group'>,
    error: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#untilDone(
      // Never part of a transaction that is about to be rolled back.
      () => this.#sink.add({ ...entry, group: this.#group }, { tx: null }),
      signal,
      entry,
    );
    this.#observe({
      kind: 'dead-lettered',
      ...this.#about(entry),
      error: asEventError(error, entry),
      coordinates: entry.coordinates,
    });
  }

  async #isKnown(
    keys: readonly DeadLetterKey[],
    about: EventLabels,
    signal: AbortSignal,
  ): Promise<boolean> {
    const found = await this.#untilDone(
      () => Promise.all(keys.map((key) => this.#lookup.find(key))),
      signal,
    );
    const isKnown = found.some((each) => each !== null);
    if (isKnown) this.#observe({ kind: 'dead-letter-known', ...about });
    return isKnown;
  }

  async #untilDone<T>(
    work: () => Promise<T>,
    signal: AbortSignal,
    entry?: Omit<NewDeadLetter, 'group'>,
  ): Promise<T> {
    const waiting = {};
    let delay: GrowingDelay | undefined;
    try {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          this.#reasons.add(waiting, 'dead letters cannot be stored or looked up');
          if (entry) this.#reportFailed(error, entry);
          delay ??= new GrowingDelay(retryDelays);
          await this.#clock.sleep(delay.next(), signal);
          if (signal.aborted) throw error;
        }
      }
    } finally {
      this.#reasons.remove(waiting);
    }
  }

  #reportFailed(error: unknown, entry: Omit<NewDeadLetter, 'group'>): void {
    const { coordinates } = entry;
    this.#observe({ kind: 'dead-letter-failed', error, coordinates, ...this.#about(entry) });
  }

  #about(entry: Omit<NewDeadLetter, 'group'>): EventLabels {
    return aboutDeadLetter({ ...entry, group: this.#group });
  }
}

/** What an observation says of the event of a dead letter. */
export function aboutDeadLetter(entry: NewDeadLetter): EventLabels {
  const { group, handler, event, message, eventId, eventType, totalAttempts } = entry;
  return {
    ...aboutMessage(message, group, handler),
    ...(eventId === undefined ? {} : { eventId }),
    ...(eventType === undefined ? {} : { eventType }),
    ...(event ? { source: event.source, correlationId: event.correlationId } : {}),
    attempt: totalAttempts,
  };
}

/** What a dead letter says about a failure, apart from whose it is. */
export function describe(
  delivery: Pick<Delivery, 'message' | 'coordinates'>,
  error: unknown,
): Pick<
  NewDeadLetter,
  | 'coordinates'
  | 'message'
  | 'failureReason'
  | 'failureType'
  | 'errorCode'
  | 'errorStack'
  | 'fingerprint'
> {
  const { message, coordinates } = delivery;
  return { message, coordinates, ...describeFailure(error) };
}

/** The part of a dead letter that the error alone decides. */
export function describeFailure(
  error: unknown,
): Pick<
  NewDeadLetter,
  'failureReason' | 'failureType' | 'errorCode' | 'errorStack' | 'fingerprint'
> {
  const reason = safeText(messageOfThrown(error), maxReasonLength);
  const code = readThrown(error, 'code');
  const stack = readThrown(error, 'stack');
  return {
    failureReason: reason,
    failureType: failureTypeOf(error),
    ...(isText(code) ? { errorCode: safeText(code, maxCodeLength) } : {}),
    ...(isText(stack) ? { errorStack: safeText(stack, maxStackLength, '\n') } : {}),
    fingerprint: fingerprintOf(isText(code) ? code : '', reason),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function failureTypeOf(error: unknown): FailureType {
  if (!isEventError(error)) return 'unknown';
  return error.retryable ? 'transient' : 'permanent';
}

/** Numbers, ids and quoted parts differ between events with one cause, so they are left out. */
function fingerprintOf(code: string, reason: string): string {
  const shape = reason
    .replace(/"[^"]*"|'[^']*'/g, '?')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '?')
    .replace(/\d+/g, '0');
  return createHash('sha256').update(`${code}|${shape}`).digest('hex').slice(0, 16);
}

/** Bounded text without control characters, which could forge log lines or drive a terminal. */
function safeText(text: string, maxLength: number, keep: string = ''): string {
  const bounded = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  const escaped = bounded.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (control) =>
    keep.includes(control) ? control : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped.isWellFormed() ? escaped : escaped.toWellFormed();
}

function asEventError(
  error: unknown,
  entry: { handler: string; eventId?: string; eventType?: string },
): EventError {
  if (isEventError(error)) return error;
  return new EventError(
    'HANDLER_FAILED',
    `${entry.eventType} ${entry.eventId}: handler ${entry.handler} failed: ${safeText(messageOfThrown(error), 300)}`,
    { handler: entry.handler, ...(entry.eventId === undefined ? {} : { eventId: entry.eventId }) },
    { cause: error },
  );
}
