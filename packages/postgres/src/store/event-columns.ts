import { EventError } from '@waybill/core';
import type { AttributeType, EventEnvelope, Profile } from '@waybill/core';

/** A column of the event table and the envelope property that it holds. */
export interface EventColumn {
  readonly column: string;
  readonly property: string;
  readonly type: 'text' | 'int4' | 'bool' | 'jsonb';
  /** May differ between two attempts to publish one event, so it does not make it another one. */
  readonly incidental?: true;
}

const engineColumns: readonly EventColumn[] = [
  { column: 'event_id', property: 'id', type: 'text' },
  { column: 'source', property: 'source', type: 'text' },
  { column: 'event_type', property: 'type', type: 'text' },
  { column: 'subject', property: 'subject', type: 'text' },
  { column: 'correlation_id', property: 'correlationId', type: 'text' },
  { column: 'causation_id', property: 'causationId', type: 'text' },
  { column: 'user_id', property: 'userId', type: 'text' },
  { column: 'version', property: 'version', type: 'int4' },
  { column: 'data', property: 'data', type: 'jsonb' },
  { column: 'metadata', property: 'metadata', type: 'jsonb' },
  { column: 'time', property: 'time', type: 'text', incidental: true },
  { column: 'datacontenttype', property: 'datacontenttype', type: 'text' },
  { column: 'dataschema', property: 'dataschema', type: 'text' },
  { column: 'traceparent', property: 'traceparent', type: 'text', incidental: true },
  { column: 'tracestate', property: 'tracestate', type: 'text', incidental: true },
  { column: 'extensions', property: 'extensions', type: 'jsonb' },
];

const columnTypes: Readonly<Record<AttributeType, EventColumn['type']>> = {
  string: 'text',
  integer: 'int4',
  boolean: 'bool',
};

/** The columns of the engine, then those of the profile. */
export function columnsOf(profile: Profile): readonly EventColumn[] {
  const own = profile.attributes.map(({ column, name, type = 'string' }): EventColumn => ({
    column,
    property: name,
    type: columnTypes[type],
  }));
  return [...engineColumns, ...own];
}

/** What a statement is given for a column. */
export type ColumnValue = string | number | boolean | null;

/** An event ready for its row: later changes of the event change nothing here. */
export interface EventRow {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  /** One per column; JSON as text. */
  readonly values: readonly ColumnValue[];
  /** Where it is sent, and by which key it is ordered there. */
  readonly route: Route | undefined;
}

export interface Route {
  readonly destination: string;
  readonly key: string;
}

/**
 * Turns an event into the values of its row.
 *
 * @throws {EventError} `PAYLOAD_NOT_JSON`, `ENVELOPE_INVALID`
 */
export function toRow(
  event: EventEnvelope,
  columns: readonly EventColumn[],
  route?: Route,
): EventRow {
  const { id, source, type, subject } = event;
  const values = columns.map((column) => toValue(event, column));
  return { id, source, type, subject, values, route };
}

function toValue(event: EventEnvelope, column: EventColumn): ColumnValue {
  const value: unknown = Reflect.get(event, column.property);
  if (column.type === 'jsonb') return toJson(event, column.property, value);
  if (value === undefined || value === null) return null;
  if (column.type === 'text') return assertText(event, column.property, value);
  return value as number | boolean;
}

function toJson(event: EventEnvelope, property: string, value: unknown): string | null {
  try {
    // An event without data has the data `null`: its column takes no SQL NULL.
    return JSON.stringify(value) ?? (property === 'data' ? 'null' : null);
  } catch (cause) {
    throw new EventError(
      'PAYLOAD_NOT_JSON',
      `${event.type} ${event.id}: ${property} cannot be written as JSON`,
      { eventType: event.type, eventId: event.id, path: property },
      { cause },
    );
  }
}

/** The driver would send half a character as U+FFFD, and the server takes no NUL. */
function assertText(event: EventEnvelope, attribute: string, value: unknown): string {
  if (typeof value === 'string' && value.isWellFormed() && !value.includes('\0')) return value;
  throw new EventError(
    'ENVELOPE_INVALID',
    `${event.type} ${event.id}: ${attribute} must be a string of whole characters without NUL`,
    { eventId: event.id, attribute },
  );
}

/** What a read selects for one event. */
export type StoredRow = Record<string, unknown> & {
  readonly sequence_number: bigint;
  readonly event_id: string;
  readonly source: string;
  readonly created_at: Date;
  readonly destination?: string | null;
  readonly ordering_key?: string | null;
};

/** What a column holds, as the kind that was put into it: a product's migration may have made a text of it. */
export function fromColumn({ type }: EventColumn, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type === 'int4') return Number(value);
  return type === 'bool' ? value === true || value === 'true' : value;
}

/** The envelope of a row, without the attributes that it does not have. */
export function toEvent<E extends EventEnvelope>(
  row: StoredRow,
  columns: readonly EventColumn[],
): E {
  const event: Record<string, unknown> = { specversion: '1.0' };
  for (const column of columns) {
    const value = fromColumn(column, row[column.column]);
    if (value !== null) event[column.property] = value;
  }
  // Rows older than these columns.
  event.datacontenttype ??= 'application/json';
  event.time ??= row.created_at.toISOString();
  // A JSON null comes as null too.
  event.data ??= null;
  return event as unknown as E;
}
