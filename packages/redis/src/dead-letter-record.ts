import type { DeadLetter, DeadLetterStatus, EventEnvelope, FailureType } from '@waybill/core';
import type { NewDeadLetter } from '@waybill/core/adapter';

import {
  coordinateColumns,
  coordinatesOf,
  flat,
  labelColumns,
  messageOf,
  pairs,
  rawColumns,
} from './message-record.ts';

/** A dead letter as scripts answer it: its id, then names and values of its entry, then of its hash. */
export type DeadLetterReply = readonly [
  id: string,
  entry: readonly string[],
  state: readonly string[],
];

/** What may be different when the same handling fails again. */
type Reason = Pick<
  NewDeadLetter,
  'failureReason' | 'failureType' | 'errorCode' | 'errorStack' | 'fingerprint'
>;

/**
 * Names and values of a new entry, named like the columns of `event_dlq`. Every entry has all of them;
 * what is not known is empty.
 */
export function entryFields(failure: NewDeadLetter): string[] {
  const { event, coordinates } = failure;
  return flat({
    original_event_id: event?.id ?? failure.eventId,
    event_type: event?.type ?? failure.eventType,
    group_name: failure.group,
    handler: failure.handler,
    source: event?.source,
    key: failure.message.key,
    ...reasonColumns(failure),
    ...coordinateColumns(coordinates),
    ...labelColumns(failure.message),
    event_data: event && jsonOf(event),
    ...rawColumns(failure.message.body),
  });
}

/** Names and values of what another failure replaces. */
export function reasonFields(reason: Reason): string[] {
  return flat(reasonColumns(reason));
}

/** A dead letter as it is now: the hash has the last word. */
export function deadLetterOf([id, entry, state]: DeadLetterReply): DeadLetter {
  const now = new Map(pairs(state));
  const all = new Map([...pairs(entry), ...now]);
  const text = (name: string): string => all.get(name) ?? '';
  const event = text('event_data');
  const resolvedAt = now.get('resolved_at');
  return {
    id,
    status: (now.get('status') ?? 'pending') as DeadLetterStatus,
    enteredAt: new Date(Number(id.split('-', 1)[0])),
    group: text('group_name'),
    handler: text('handler'),
    coordinates: coordinatesOf(text),
    message: messageOf(all),
    failureReason: text('failure_reason'),
    failureType: text('failure_type') as FailureType,
    totalAttempts: Number(now.get('total_attempts') ?? 1),
    fingerprint: text('fingerprint'),
    ...present({
      event: event === '' ? undefined : (JSON.parse(event) as EventEnvelope),
      eventId: text('original_event_id') || undefined,
      eventType: text('event_type') || undefined,
      errorCode: text('error_code') || undefined,
      errorStack: text('error_stack') || undefined,
      resolvedAt: resolvedAt === undefined ? undefined : new Date(Number(resolvedAt)),
      resolvedBy: now.get('resolved_by'),
      resolutionNotes: now.get('resolution_notes'),
    }),
  };
}

function reasonColumns(reason: Reason): Record<string, string | undefined> {
  return {
    failure_reason: reason.failureReason,
    failure_type: reason.failureType,
    error_code: reason.errorCode,
    error_stack: reason.errorStack,
    fingerprint: reason.fingerprint,
  };
}

/** @returns Nothing for what is no JSON, circular or too deep; the message itself is kept in any case. */
function jsonOf(event: EventEnvelope): string | undefined {
  try {
    return JSON.stringify(event);
  } catch {
    return undefined;
  }
}

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

function present<T extends object>(values: T): Present<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Present<T>;
}
