import type {
  Coordinates,
  DeadLetter,
  DeadLetterStatus,
  EventEnvelope,
  FailureType,
} from '@waybill/core';
import type { Message, NewDeadLetter } from '@waybill/core/adapter';

import {
  maxReasonLength,
  maxStackLength,
  oneLine,
  printable,
  severalLines,
} from './dead-letter-text.ts';
import { labelsOf, labelsText } from './message-labels.ts';
import { storableJson } from './storable-json.ts';

/** A row of `event_dlq`. Rows from before our columns were added have `null` in all of them. */
export interface DeadLetterRow {
  readonly id: bigint;
  readonly original_event_id: string | null;
  readonly event_type: string | null;
  readonly event_data: unknown;
  readonly failure_reason: string;
  readonly failure_type: string;
  readonly total_attempts: number;
  readonly status: string;
  readonly entered_dlq_at: Date;
  readonly resolved_at: Date | null;
  readonly resolved_by: string | null;
  readonly resolution_notes: string | null;
  readonly group_name: string | null;
  readonly handler: string | null;
  readonly source: string | null;
  readonly key: string | null;
  readonly transport: string | null;
  readonly stream: string | null;
  readonly partition: number | null;
  readonly position: string | null;
  readonly raw: Uint8Array | null;
  readonly raw_is_text: boolean | null;
  readonly content_type: string | null;
  readonly error_code: string | null;
  readonly error_stack: string | null;
  readonly fingerprint: string | null;
  readonly message_labels: unknown;
  readonly claim_token: string | null;
}

/** Columns of a new row, in the order of `insertParams`. */
export const insertColumns = [
  'original_event_id',
  'event_type',
  'event_data',
  'failure_reason',
  'failure_type',
  'total_attempts',
  'group_name',
  'handler',
  'source',
  'key',
  'transport',
  'stream',
  'partition',
  'position',
  'raw',
  'raw_is_text',
  'content_type',
  'error_code',
  'error_stack',
  'fingerprint',
  'message_labels',
] as const;

/** Values of a new row. Whatever the failure holds, the database can store it. */
export function insertParams(failure: NewDeadLetter): unknown[] {
  const { event, message } = failure;
  return [
    optional(event?.id ?? failure.eventId, printable),
    optional(event?.type ?? failure.eventType, printable),
    event ? storableJson(event) : null,
    oneLine(failure.failureReason, maxReasonLength),
    failure.failureType,
    failure.totalAttempts,
    printable(failure.group),
    printable(failure.handler),
    optional(event?.source, printable),
    printable(message.key),
    ...coordinateParams(failure.coordinates),
    Buffer.from(message.body),
    typeof message.body === 'string',
    printable(message.contentType),
    optional(failure.errorCode, printable),
    optional(failure.errorStack, (stack) => severalLines(stack, maxStackLength)),
    printable(failure.fingerprint),
    labelsText(message),
  ];
}

/** Values of `transport`, `stream`, `partition` and `position`. */
export function coordinateParams({
  transport,
  stream,
  partition,
  position,
}: Coordinates): unknown[] {
  return [printable(transport), printable(stream), partition ?? null, printable(position)];
}

/** The dead letter of a row. */
export function deadLetterOf(row: DeadLetterRow): DeadLetter {
  return {
    id: String(row.id),
    status: row.status as DeadLetterStatus,
    enteredAt: row.entered_dlq_at,
    group: row.group_name ?? '',
    handler: row.handler ?? '',
    coordinates: coordinatesOf(row),
    message: messageOf(row),
    failureReason: row.failure_reason,
    failureType: row.failure_type as FailureType,
    totalAttempts: row.total_attempts,
    fingerprint: row.fingerprint ?? '',
    ...present({
      event: isEnvelope(row) ? row.event_data : null,
      eventId: row.original_event_id,
      eventType: row.event_type,
      errorCode: row.error_code,
      errorStack: row.error_stack,
      resolvedAt: row.resolved_at,
      resolvedBy: row.resolved_by,
      resolutionNotes: row.resolution_notes,
    }),
  };
}

function optional<T>(value: T | undefined, make: (value: T) => string): string | null {
  return value === undefined ? null : make(value);
}

function coordinatesOf({ transport, stream, partition, position }: DeadLetterRow): Coordinates {
  return {
    transport: transport ?? '',
    stream: stream ?? '',
    ...(partition === null ? {} : { partition }),
    position: position ?? '',
  };
}

/** A row from before its message's labels were kept has what people see of them. */
function messageOf(row: DeadLetterRow): Message {
  const labels = labelsOf(row.message_labels) ?? {
    id: row.original_event_id ?? '',
    type: row.event_type ?? '',
    key: row.key ?? '',
    contentType: row.content_type ?? 'application/json',
  };
  return { ...labels, body: bodyOf(row) };
}

/** A row from before our columns has only its data; that is the closest thing to what was received. */
function bodyOf({
  raw,
  raw_is_text: isText,
  event_data: data,
}: DeadLetterRow): string | Uint8Array {
  if (raw === null) return JSON.stringify(data);
  return isText ? Buffer.from(raw).toString('utf8') : raw;
}

/** A row from before our columns may hold anything in `event_data`. */
function isEnvelope(row: DeadLetterRow): row is DeadLetterRow & { event_data: EventEnvelope } {
  return row.source !== null && row.event_data !== null;
}

type Present<T> = { [Name in keyof T]?: NonNullable<T[Name]> };

function present<T extends object>(values: T): Present<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as Present<T>;
}
