import { isDeepStrictEqual } from 'node:util';

import { EventError } from '@waybill/core';

import { fromColumn } from './event-columns.ts';
import type { ColumnValue, EventColumn, EventRow, StoredRow } from './event-columns.ts';

/**
 * Refuses an event whose (source, id) belongs to another one.
 *
 * Time and trace may differ: a publisher that tries again fills them in anew.
 *
 * @param known The row that is stored, or that comes earlier in the same batch.
 */
export function conflictWith(
  event: EventRow,
  known: StoredRow | EventRow,
  columns: readonly EventColumn[],
): EventError<'EVENT_ID_CONFLICT'> | undefined {
  const differs = columns.find(
    (column, index) =>
      !column.incidental && !isSame(column, event.values[index]!, valueOf(known, column, index)),
  );
  if (!differs) return undefined;
  const { source, id, type } = event;
  return new EventError(
    'EVENT_ID_CONFLICT',
    `${type} ${id} of ${source} is stored with another ${differs.property}; give the new event an id of its own`,
    { source, eventId: id },
  );
}

function valueOf(known: StoredRow | EventRow, column: EventColumn, index: number): unknown {
  if (isEventRow(known)) return parsed(column, known.values[index]!);
  return fromColumn(column, known[column.column]) ?? legacyDefaults[column.column] ?? null;
}

/** What rows mean that are older than a column. */
const legacyDefaults: Record<string, unknown> = { datacontenttype: 'application/json' };

function isEventRow(known: StoredRow | EventRow): known is EventRow {
  return 'values' in known && Array.isArray(known.values);
}

function isSame(column: EventColumn, value: ColumnValue, known: unknown): boolean {
  return isDeepStrictEqual(parsed(column, value), known);
}

function parsed(column: EventColumn, value: ColumnValue): unknown {
  return column.type === 'jsonb' && typeof value === 'string' ? JSON.parse(value) : value;
}
