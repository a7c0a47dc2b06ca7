import { EventError } from '../errors.ts';
import type { MemoryRow } from './memory-row.ts';

/** The cursor before the first event. */
export const beginning = 'beginning';

/** The cursor after a row. It names the event too, so that the cursor of another store is noticed. */
export function cursorAfter({ position, event }: MemoryRow): string {
  const named = JSON.stringify([Number(position), event.source, event.id]);
  return Buffer.from(named).toString('base64url');
}

/**
 * How many rows lie before a cursor.
 *
 * @throws {EventError} `CURSOR_FOREIGN`
 */
export function countBefore(cursor: string, rows: readonly MemoryRow[]): number {
  if (cursor === beginning) return 0;
  const position = positionIn(cursor);
  const row = rows[position - 1];
  if (row && cursorAfter(row) === cursor) return position;
  throw new EventError(
    'CURSOR_FOREIGN',
    'the event that the cursor names is not in this store; the store was replaced, or the cursor is from another one',
    { cursor },
  );
}

/** @returns 0 for what is no cursor at all. */
function positionIn(cursor: string): number {
  try {
    const [position] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    return Number(position);
  } catch {
    return 0; // Whatever cannot be read is refused as foreign.
  }
}
