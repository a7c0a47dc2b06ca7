import { EventError, isEventError } from '@waybill/core';

import { sqlStateOf } from '../client/sql-errors.ts';

/** Raised by the migrations themselves, with the names of what is in the way as JSON in the detail. */
const refusedByUs = 'WB001';

/** Something depends on what has to change (2BP01), or holds on to the type of a column (0A000). */
const refusedByServer: ReadonlySet<string> = new Set(['2BP01', '0A000']);

/**
 * `MIGRATION_BLOCKED` for a migration that met something it must not change by itself.
 *
 * @returns `undefined` if the error is of another kind.
 */
export function blockedError(
  migration: string,
  error: unknown,
): EventError<'MIGRATION_BLOCKED'> | undefined {
  const sqlState = sqlStateOf(error);
  if (sqlState === undefined) return undefined;
  if (sqlState !== refusedByUs && !refusedByServer.has(sqlState)) return undefined;
  const { message, detail } = serverErrorOf(error);
  const objects = sqlState === refusedByUs && detail ? (JSON.parse(detail) as string[]) : [];
  return new EventError(
    'MIGRATION_BLOCKED',
    `${migration}: ${message ?? 'something depends on what has to change'}`,
    { migration, objects },
    { cause: error },
  );
}

function serverErrorOf(error: unknown): { message?: string; detail?: string } {
  const cause = isEventError(error) ? error.cause : error;
  return cause ?? {};
}
