import { EventError, isEventError } from '@waybill/core';
import { assertKnownOptions, throwIfEnded, type OptionNames } from '@waybill/core/adapter';
import type { EndSignal, TransactionOptions } from '@waybill/core';

import { tellingLoss } from './lost-connection.ts';
import type { RawConnection } from './raw-connection.ts';
import type { SqlTransaction } from './sql-client.ts';
import { TransactionHandle } from './transaction-handle.ts';

/**
 * Begins a transaction on `connection`, runs `work` with a revocable handle, and commits or rolls back.
 * When aborted it rolls back at once and gives the connection up, although `work` may still run.
 *
 * @throws What `work` threw; the signal's reason when it was aborted; `STORE_UNAVAILABLE` if the
 * outcome of the commit is unknown; `STORE_REJECTED` if `work` hid the failure of a statement.
 */
export async function runTransaction<T>(
  connection: RawConnection,
  work: (tx: SqlTransaction) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const begin = beginText(options);
  throwIfEnded(options.signal);
  await beginOn(connection, begin);
  const telling = tellingLoss(connection, options.onLost);
  const handle = new TransactionHandle(telling);
  const abort = watchAbort(options.signal, handle);
  try {
    const result = await Promise.race([work(handle), abort.aborted]);
    handle.revoke('its work has returned');
    await commit(telling);
    return result;
  } catch (error) {
    handle.revoke('it was rolled back');
    await rollback(connection);
    throw error;
  } finally {
    abort.stop();
  }
}

/**
 * Lets a transaction end for its caller no earlier than its work, so that nobody repeats what still runs.
 *
 * @param begin Runs the transaction with the work it is given, and frees the connection.
 */
export async function outlastWork<T>(
  work: (tx: SqlTransaction) => Promise<T>,
  begin: (work: (tx: SqlTransaction) => Promise<T>) => Promise<T>,
): Promise<T> {
  let running: Promise<T> | undefined;
  try {
    return await begin((tx) => (running = work(tx)));
  } finally {
    // Its outcome counts only where the transaction has waited for it.
    await running?.catch(() => {});
  }
}

const knownOptions: OptionNames<TransactionOptions> = {
  statementTimeoutMs: true,
  idleTimeoutMs: true,
  lockTimeoutMs: true,
  signal: true,
  onLost: true,
  holds: true,
};

/** `BEGIN` and the limits in one round trip; a limit that was not asked for is left alone. */
function beginText(options: TransactionOptions): string {
  assertKnownOptions('a transaction', options, knownOptions);
  const limits = [
    ['statement_timeout', options.statementTimeoutMs],
    ['idle_in_transaction_session_timeout', options.idleTimeoutMs],
    ['lock_timeout', options.lockTimeoutMs],
  ] as const;
  const settings = limits
    .filter((limit): limit is [(typeof limit)[0], number] => limit[1] !== undefined)
    .map(([name, ms]) => `; SET LOCAL ${name} = ${wholeMs(name, ms)}`);
  return `BEGIN${settings.join('')}`;
}

/** PostgreSQL keeps these limits in a signed 32-bit integer, where 0 would mean "none". */
function wholeMs(name: string, ms: number): number {
  const whole = Math.ceil(ms);
  if (!(whole >= 1 && whole <= 2 ** 31 - 1)) {
    throw new TypeError(`${name} must be 1 to ${2 ** 31 - 1} milliseconds, got ${ms}.`);
  }
  return whole;
}

async function beginOn(connection: RawConnection, text: string): Promise<void> {
  try {
    await connection.execute(text);
  } catch (error) {
    connection.discard();
    throw error;
  }
}

/** Rejects with the signal's reason as soon as it is aborted, and revokes the handle at that moment. */
function watchAbort(
  signal: EndSignal | undefined,
  handle: TransactionHandle,
): { aborted: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    handle.revoke('it was aborted');
    reject(signal?.reason);
  };
  // Aborted after the race was won: there is nobody left to tell.
  promise.catch(() => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return { aborted: promise, stop: () => signal?.removeEventListener('abort', onAbort) };
}

/** The server answers `ROLLBACK` to the `COMMIT` of a transaction in which a statement has failed. */
async function commit(connection: RawConnection): Promise<void> {
  const { command } = await connection.execute('COMMIT').catch((error: unknown) => {
    throw unknownOutcome(error);
  });
  if (command !== 'ROLLBACK') return;
  throw new EventError(
    'STORE_REJECTED',
    'the transaction was rolled back because a statement in it had failed; do not catch errors of statements without a savepoint',
    { sqlState: '25P02' },
  );
}

/** Without an answer from the server nobody knows; with one, such as a failed check at the end, it was rolled back. */
function unknownOutcome(error: unknown): unknown {
  if (!isEventError(error, 'STORE_UNAVAILABLE') || error.details.sqlState) return error;
  return new EventError(
    'STORE_UNAVAILABLE',
    'the connection was lost during the commit, so its outcome is unknown; repeat only what may happen twice',
    {},
    { cause: error },
  );
}

async function rollback(connection: RawConnection): Promise<void> {
  try {
    await connection.execute('ROLLBACK');
  } catch {
    // The error that led here is the one to report; the server rolls back when the session ends.
    connection.discard();
  }
}
