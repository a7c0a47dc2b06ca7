import { foreignTransaction } from './foreign-transaction.ts';
import { isPgClient } from './pg-client-shape.ts';
import type { PgClientShape } from './pg-client-shape.ts';
import { executeOn } from './pg-connection.ts';
import { loadPg } from './pg-driver.ts';
import { executeOnPglite } from './pglite-driver.ts';
import type { PgliteQueryable } from './pglite-driver.ts';
import type { SqlQueryable, SqlTransaction } from './sql-client.ts';
import { sqlStateOf } from './sql-errors.ts';
import { isTransactionHandle, finishedError } from './transaction-handle.ts';

/**
 * Makes a transaction that somebody else has opened usable by the library.
 *
 * @param tx A `SqlTransaction` of ours, a `pg` client inside `BEGIN`, or the argument of PGlite's
 * `transaction()`; nothing that only looks like one.
 * @returns What runs statements in it, with our result types and errors. Where a `pg` older than 8.17 cannot
 * tell whether it is in a transaction, the server is asked before the first statement.
 * @throws {EventError} `TX_FOREIGN` if it is none of these, `TX_FINISHED` if it has ended.
 */
export function joinable(tx: object): SqlQueryable {
  if (isTransactionHandle(tx)) return openOnly(tx);
  if (isPgliteTransaction(tx)) {
    if (tx.closed) throw finishedError('PGlite says it is closed');
    return { query: (text, params) => executeOnPglite(tx, text, params) };
  }
  if (isPgClient(tx)) return overPg(tx);
  throw foreignTransaction(tx);
}

function overPg(client: PgClientShape): SqlQueryable {
  const status = client.getTransactionStatus?.();
  if (status === 'I') throw outsideTransaction();
  let checked = typeof status === 'string';
  return {
    async query(text, params) {
      const { types } = await loadPg();
      if (!checked) await assertInside(client);
      checked = true;
      return await executeOn(client, types, text, params);
    },
  };
}

const noActiveTransaction = '25P01';

/** A savepoint can be made inside a transaction only, and costs nothing as long as nothing is written in it. */
async function assertInside(client: PgClientShape): Promise<void> {
  const { types } = await loadPg();
  try {
    await executeOn(client, types, 'SAVEPOINT waybill_joins');
    await executeOn(client, types, 'RELEASE SAVEPOINT waybill_joins');
  } catch (error) {
    throw sqlStateOf(error) === noActiveTransaction ? outsideTransaction() : error;
  }
}

function outsideTransaction(): Error {
  return finishedError('the client is in no transaction');
}

/** What PGlite's `transaction()` gives to its callback is a plain object with exactly these. */
function isPgliteTransaction(tx: object): tx is PgliteQueryable & { readonly closed: boolean } {
  const has = (name: string): boolean => typeof Reflect.get(tx, name) === 'function';
  return (
    ['query', 'exec', 'sql', 'rollback'].every(has) &&
    typeof Reflect.get(tx, 'closed') === 'boolean' &&
    !has('transaction')
  );
}

function openOnly(tx: SqlTransaction): SqlTransaction {
  if (tx.finished) throw finishedError('it was joined after its end');
  return tx;
}
