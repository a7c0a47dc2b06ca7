import { EventError } from '@waybill/core';

/** The last event that a reader has seen. It names the event too, so that another store is noticed. */
export interface EventCursor {
  readonly position: bigint;
  readonly source: string;
  readonly id: string;
}

/** The cursor before the first event. */
export const beginning = 'beginning';

export function encodeCursor({ position, source, id }: EventCursor): string {
  return Buffer.from(JSON.stringify([String(position), source, id])).toString('base64url');
}

/**
 * @returns `undefined` for the beginning.
 * @throws {EventError} `CURSOR_FOREIGN` if this is no cursor of an event store.
 */
export function decodeCursor(cursor: string): EventCursor | undefined {
  if (cursor === beginning) return undefined;
  const parsed = parse(cursor);
  if (!parsed) throw foreignCursor(cursor, 'it cannot be read');
  return parsed;
}

/** `CURSOR_FOREIGN`, which no retry heals. */
export function foreignCursor(cursor: string, why: string): EventError<'CURSOR_FOREIGN'> {
  return new EventError(
    'CURSOR_FOREIGN',
    `this cursor does not belong to this store: ${why}; the database was restored, wiped or is another one, so decide where to read on`,
    { cursor },
  );
}

const maxPosition = 2n ** 63n - 1n;

function parse(cursor: string): EventCursor | undefined {
  try {
    const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    const [position, source, id] = parts;
    if (typeof source !== 'string' || typeof id !== 'string') return undefined;
    const number = BigInt(position as string);
    return number > 0n && number <= maxPosition ? { position: number, source, id } : undefined;
  } catch {
    return undefined; // The caller refuses it by name.
  }
}
