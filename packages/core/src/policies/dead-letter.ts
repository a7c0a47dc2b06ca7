import { createHash } from 'node:crypto';

import type { Clock } from '../clock.ts';
import type { DeadLetterQueue, FailureType, NewDeadLetter } from '../dead-letter-queue.ts';
import type { EventEnvelope } from '../envelope.ts';
import { EventError, isEventError } from '../errors.ts';
import type { Observer } from '../observer.ts';
import type { Delivery } from '../transport.ts';
import type { Policy } from './step.ts';

const maxReasonLength = 2_000;
const maxStackLength = 8_000;

/**
 * Records what could not be handled, with its reason, so that the message may be settled.
 *
 * The row comes before the settlement. A crash between the two delivers the message again, which is
 * then recognised by its dead letter. Where the row cannot be stored, it is tried until it can, or
 * until the message is no longer ours.
 */
export function deadLetter(recorder: DeadLetterRecorder): Policy {
  return (next) => async (event, invocation) => {
    const { registration, delivery, progress, signal } = invocation;
    if (delivery.deliveryCount !== 1 && (await recorder.isKnown(registration.name, event, signal)))
      return;
    try {
      await next(event, invocation);
    } catch (error) {
      if (signal.aborted) throw error;
      await recorder.record(
        {
          ...describe(delivery, error),
          handler: registration.name,
          event: invocation.reread(),
          eventId: event.id,
          eventType: event.type,
          totalAttempts: Math.max(progress.attempts, 1),
        },
        error,
        signal,
      );
    }
  };
}

/** Stores dead letters for one group, however long it takes. */
export class DeadLetterRecorder {
  readonly #group: string;
  readonly #queue: DeadLetterQueue;
  readonly #clock: Clock;
  readonly #observe: Observer;
  /** Dead letters that cannot be stored right now; a health check turns red while there are any. */
  stuck = 0;

  constructor(options: { group: string; queue: DeadLetterQueue; clock: Clock; observe: Observer }) {
    this.#group = options.group;
    this.#queue = options.queue;
    this.#clock = options.clock;
    this.#observe = options.observe;
  }

  /** Says whether this handling has a dead letter already; reports it if so. */
  async isKnown(handler: string, event: EventEnvelope, signal: AbortSignal): Promise<boolean> {
    const key = { group: this.#group, handler, source: event.source, eventId: event.id };
    const found = await this.#untilDone(() => this.#queue.find(key), signal);
    if (found)
      this.#observe({ kind: 'dead-letter-known', group: this.#group, handler, eventId: event.id });
    return Boolean(found);
  }

  /** Says whether a message that cannot be read has a dead letter already; reports it if so. */
  async isKnownUnreadable(delivery: Delivery): Promise<boolean> {
    const found = await this.#untilDone(
      () => this.#queue.findUnreadable(this.#group, delivery.coordinates),
      delivery.signal,
    );
    if (found) {
      this.#observe({
        kind: 'dead-letter-known',
        group: this.#group,
        handler: '',
        eventId: delivery.message.id,
      });
    }
    return Boolean(found);
  }

  /** Stores one dead letter and reports it. @throws The storing error once `signal` is aborted. */
  async record(
    entry: Omit<NewDeadLetter, 'group'>,
    error: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#untilDone(
      // Never part of a transaction that is about to be rolled back.
      () => this.#queue.add({ ...entry, group: this.#group }, { tx: null }),
      signal,
      entry,
    );
    this.#observe({
      kind: 'dead-lettered',
      group: this.#group,
      handler: entry.handler,
      eventType: entry.eventType,
      eventId: entry.eventId,
      error: asEventError(error, entry),
      coordinates: entry.coordinates,
    });
  }

  async #untilDone<T>(
    work: () => Promise<T>,
    signal: AbortSignal,
    entry?: Pick<NewDeadLetter, 'coordinates'>,
  ): Promise<T> {
    for (let delayMs = 100, stuck = false; ; delayMs = Math.min(delayMs * 2, 5_000)) {
      try {
        const result = await work();
        if (stuck) this.stuck -= 1;
        return result;
      } catch (error) {
        if (!stuck) this.stuck += 1;
        stuck = true;
        if (entry) {
          this.#observe({
            kind: 'dead-letter-failed',
            group: this.#group,
            error,
            coordinates: entry.coordinates,
          });
        }
        await this.#clock.sleep(delayMs, signal);
        if (signal.aborted) {
          this.stuck -= 1;
          throw error;
        }
      }
    }
  }
}

/** What a dead letter says about a failure, apart from whose it is. */
export function describe(
  delivery: Pick<Delivery, 'message' | 'coordinates'>,
  error: unknown,
): Pick<
  NewDeadLetter,
  | 'key'
  | 'coordinates'
  | 'raw'
  | 'contentType'
  | 'failureReason'
  | 'failureType'
  | 'errorCode'
  | 'errorStack'
  | 'fingerprint'
> {
  const { message, coordinates } = delivery;
  return {
    key: message.key,
    coordinates,
    raw: message.body,
    contentType: message.contentType,
    ...describeFailure(error),
  };
}

/** The part of a dead letter that the error alone decides. */
export function describeFailure(
  error: unknown,
): Pick<
  NewDeadLetter,
  'failureReason' | 'failureType' | 'errorCode' | 'errorStack' | 'fingerprint'
> {
  const reason = safeText(messageOf(error), maxReasonLength);
  const code = codeOf(error);
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : undefined;
  return {
    failureReason: reason,
    failureType: failureTypeOf(error),
    ...(code === undefined ? {} : { errorCode: safeText(code, 255) }),
    ...(stack === undefined ? {} : { errorStack: safeText(stack, maxStackLength, '\n') }),
    fingerprint: fingerprintOf(code, reason),
  };
}

function failureTypeOf(error: unknown): FailureType {
  if (!isEventError(error)) return 'unknown';
  return error.retryable ? 'transient' : 'permanent';
}

/** Numbers, ids and quoted parts differ between events with one cause, so they are left out. */
function fingerprintOf(code: string | undefined, reason: string): string {
  const shape = reason
    .replace(/"[^"]*"|'[^']*'/g, '?')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '?')
    .replace(/\d+/g, '0');
  return createHash('sha256')
    .update(`${code ?? ''}|${shape}`)
    .digest('hex')
    .slice(0, 16);
}

/** Bounded text without control characters, which could forge log lines or drive a terminal. */
function safeText(text: string, maxLength: number, keep: string = ''): string {
  const bounded = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  const escaped = bounded.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (control) =>
    keep.includes(control) ? control : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped.isWellFormed() ? escaped : escaped.toWellFormed();
}

function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) return error.message || error.name;
    return typeof error === 'string'
      ? error
      : `handler threw ${JSON.stringify(error) ?? String(error)}`;
  } catch {
    return 'handler threw something that cannot be shown';
  }
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && code !== '' ? code : undefined;
}

function asEventError(
  error: unknown,
  entry: { handler: string; eventId?: string; eventType?: string },
): EventError {
  if (isEventError(error)) return error;
  return new EventError(
    'HANDLER_FAILED',
    `${entry.eventType} ${entry.eventId}: handler ${entry.handler} failed: ${safeText(messageOf(error), 300)}`,
    { handler: entry.handler, ...(entry.eventId === undefined ? {} : { eventId: entry.eventId }) },
    { cause: error },
  );
}
