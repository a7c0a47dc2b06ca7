import { EventError, isEventError } from '@waybill/core';

import { sqlCodeOf } from './sql-codes.ts';

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
  if (isEventError(error, 'ACCESS_REFUSED')) return error.details.refusal;
  if (isEventError(error)) return undefined;
  const code = (error as DriverError | undefined)?.code;
  return code !== undefined && sqlStatePattern.test(code) && !systemCodes.has(code)
    ? code
    : undefined;
}

/**
 * Turns what a driver threw into `STORE_UNAVAILABLE` (worth another try), `ACCESS_REFUSED` (a right is missing) or
 * `STORE_REJECTED`.
 *
 * @returns The error itself if it is an `EventError` already.
 */
export function toStoreError(error: unknown): EventError {
  if (isEventError(error)) return error;
  const driverError: DriverError = error instanceof Error ? error : new Error(String(error));
  const sqlState = sqlStateOf(driverError);
  if (isAccess(driverError, sqlState)) return accessRefused(driverError, sqlState, false);
  if (isPassing(driverError, sqlState)) return unavailable(driverError, sqlState);
  return new EventError(
    'STORE_REJECTED',
    `the database refused the statement (${reasonOf(driverError, sqlState)})`,
    { sqlState, constraint: driverError.constraint },
    { cause: error },
  );
}

/**
 * Turns what a driver threw when it was to connect into `STORE_UNAVAILABLE`, `ACCESS_REFUSED` or `STORE_REJECTED`.
 *
 * @param hasWorked True where connections were made before. Then it is always worth another try: nothing but
 *   the server has changed, and somebody may change it back.
 */
export function toLoginError(error: unknown, hasWorked: boolean): EventError {
  if (isEventError(error)) return error;
  const driverError: DriverError = error instanceof Error ? error : new Error(String(error));
  const sqlState = sqlStateOf(driverError);
  if (isAccess(driverError, sqlState)) return accessRefused(driverError, sqlState, hasWorked);
  const takesNone = sqlState === '55000';
  if (hasWorked || takesNone) return unavailable(driverError, sqlState);
  return toStoreError(error);
}

function accessRefused(
  error: DriverError,
  sqlState: string | undefined,
  hasWorked: boolean,
): EventError<'ACCESS_REFUSED'> {
  const known = sqlCodeOf(sqlState);
  const hint = known ? `; ${known.means}: ${known.advice}` : '; give a user and a password';
  return new EventError(
    'ACCESS_REFUSED',
    `the database refused its user (${reasonOf(error, sqlState)})${hint}`,
    { server: 'postgres', refusal: sqlState ?? 'SASL' },
    { cause: error, retryable: hasWorked },
  );
}

function unavailable(
  error: DriverError,
  sqlState: string | undefined,
): EventError<'STORE_UNAVAILABLE'> {
  return new EventError(
    'STORE_UNAVAILABLE',
    `the database cannot do this right now (${reasonOf(error, sqlState)}); try again`,
    { sqlState },
    { cause: error },
  );
}

function reasonOf(error: DriverError, sqlState: string | undefined): string {
  return [sqlState ?? error.code, describe(error)].filter(Boolean).join(' ');
}

/** What the driver itself says of a password that is missing has no SQLSTATE. */
function isAccess(error: DriverError, sqlState: string | undefined): boolean {
  if (sqlState === undefined) return error.message.startsWith('SASL: ');
  return sqlState.startsWith('28') || sqlCodeOf(sqlState)?.kind === 'access';
}

function isPassing(error: DriverError, sqlState: string | undefined): boolean {
  if (sqlState !== undefined) return passing.test(sqlState);
  if (error.code !== undefined && systemCodes.has(error.code)) return true;
  if (error.message.includes('does not support SSL')) return false;
  return connectionTrouble.test(error.message);
}

/** Node reports a refused host with several addresses as an `AggregateError` without a message. */
function describe(error: Error): string {
  if (error.message || !(error instanceof AggregateError)) return error.message;
  return error.errors.map((inner) => (inner instanceof Error ? inner.message : inner)).join(', ');
}
