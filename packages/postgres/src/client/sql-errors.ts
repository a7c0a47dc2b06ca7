import { EventError, isEventError } from '@waybill/core';

/** The parts of a driver's error that `pg` and PGlite share. */
interface DriverError extends Error {
  /** SQLSTATE of the server, or a system error such as `ECONNRESET`. */
  readonly code?: string;
  readonly constraint?: string;
}

/**
 * SQLSTATE classes and codes whose cause passes by itself: connection (08), resources (53),
 * operator intervention and cancellation (57), read-only after a failover, serialisation, deadlock,
 * lock and idle time-outs, a missing prepared statement behind a pooler.
 */
const passing = /^(08...|53...|57...|58030|25006|25P03|25P04|26000|40001|40P01|55P03|55006)$/;

const sqlStatePattern = /^[0-9A-Z]{5}$/;

/** What `pg`, its pool and Node say about a connection that is gone; none of them has an SQLSTATE. */
const connectionTrouble =
  /connection|connect ETIMEDOUT|timeout exceeded|timeout expired|not queryable|terminated|read timeout/i;

const systemCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** SQLSTATE of an error of the driver or of ours, if a server has given one. */
export function sqlStateOf(error: unknown): string | undefined {
  if (isEventError(error, 'STORE_UNAVAILABLE') || isEventError(error, 'STORE_REJECTED')) {
    return error.details.sqlState;
  }
  if (isEventError(error)) return undefined;
  const code = (error as DriverError | undefined)?.code;
  return code !== undefined && sqlStatePattern.test(code) && !systemCodes.has(code)
    ? code
    : undefined;
}

/**
 * Turns what a driver threw into `STORE_UNAVAILABLE` (worth another try) or `STORE_REJECTED`.
 *
 * @returns The error itself if it is an `EventError` already.
 */
export function toStoreError(error: unknown): EventError {
  if (isEventError(error)) return error;
  const driverError: DriverError = error instanceof Error ? error : new Error(String(error));
  const sqlState = sqlStateOf(driverError);
  const reason = [sqlState ?? driverError.code, describe(driverError)].filter(Boolean).join(' ');
  if (isPassing(driverError, sqlState)) {
    return new EventError(
      'STORE_UNAVAILABLE',
      `the database cannot do this right now (${reason}); try again`,
      { sqlState },
      { cause: error },
    );
  }
  return new EventError(
    'STORE_REJECTED',
    `the database refused the statement (${reason})`,
    { sqlState, constraint: driverError.constraint },
    { cause: error },
  );
}

function isPassing(error: DriverError, sqlState: string | undefined): boolean {
  if (sqlState !== undefined) return passing.test(sqlState);
  if (error.code !== undefined && systemCodes.has(error.code)) return true;
  return connectionTrouble.test(error.message);
}

/** Node reports a refused host with several addresses as an `AggregateError` without a message. */
function describe(error: Error): string {
  if (error.message || !(error instanceof AggregateError)) return error.message;
  return error.errors.map((inner) => (inner instanceof Error ? inner.message : inner)).join(', ');
}
