import { EventError } from '@waybill/core';

import type { EventRow } from './event-columns.ts';
import { lockKey } from '../client/lock-key.ts';
import type { SqlQueryable } from '../client/sql-client.ts';

/**
 * Refuses an append when its subject has moved on.
 *
 * The lock holds until the transaction ends, so of several writers that expect the same position one
 * gets through. It binds those who state an expectation; a plain append takes no lock.
 *
 * @param expected Position of the last event of the subject, `null` for none.
 * @throws {EventError} `VERSION_CONFLICT`
 * @throws {TypeError} if the event has no subject.
 */
export async function assertExpectedPosition(
  db: SqlQueryable,
  table: string,
  event: EventRow,
  expected: bigint | null,
): Promise<void> {
  const { subject } = event;
  if (subject === undefined) {
    throw new TypeError(
      `expectedPosition needs a subject, and ${event.type} ${event.id} has none.`,
    );
  }
  const { rows } = await db.query<{ actual: bigint | null }>(
    `SELECT max(sequence_number) AS actual FROM ${table} WHERE subject = $1`,
    [subject],
  );
  const actual = rows[0]!.actual;
  if (actual === expected) return;
  throw new EventError(
    'VERSION_CONFLICT',
    `${subject} is at position ${actual}, not ${expected}; read it again and decide anew`,
    { subject, expected: String(expected), actual: String(actual) },
  );
}

/** Lets one writer at a time check and append to a subject, until its transaction ends. */
export async function lockSubject(db: SqlQueryable, table: string, event: EventRow): Promise<void> {
  await db.query('SELECT pg_advisory_xact_lock($1)', [
    lockKey('subject', table, event.subject ?? ''),
  ]);
}
