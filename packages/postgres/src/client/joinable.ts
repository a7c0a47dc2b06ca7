import { EventError } from '@waybill/core';

import { executeOn } from './pg-connection.ts';
import { loadPg } from './pg-driver.ts';
import type { PgPoolClient } from './pg-driver.ts';
import { executeOnPglite } from './pglite-driver.ts';
import type { PgliteQueryable } from './pglite-driver.ts';
import type { SqlQueryable, SqlTransaction } from './sql-client.ts';
import { TransactionHandle, finishedError } from './transaction-handle.ts';

/**
 * Makes a transaction that somebody else has opened usable by the library.
 *
 * @param tx A `SqlTransaction` of ours, a `pg` client inside `BEGIN`, or the argument of PGlite's
 * `transaction()`.
 * @returns What runs statements in it, with our result types and errors.
 * @throws {EventError} `TX_FOREIGN` if it is none of these, `TX_FINISHED` if it has ended.
 */
export function joinable(tx: object): SqlQueryable {
  if (tx instanceof TransactionHandle || isSqlTransaction(tx)) return openOnly(tx);
  if (!hasQuery(tx) || isWholeDatabase(tx)) throw foreignError(tx);
  if (isPgliteTransaction(tx)) {
    if (tx.closed) throw finishedError('PGlite says it is closed');
    return { query: (text, params) => executeOnPglite(tx, text, params) };
  }
  if (tx.getTransactionStatus?.() === 'I') throw finishedError('the client is in no transaction');
  return {
    async query(text, params) {
      return await executeOn(tx, (await loadPg()).types, text, params);
    },
  };
}

type PgClientInTransaction = Pick<PgPoolClient, 'query'> & {
  /** `I` outside a transaction, `T` in one, `E` in a failed one; `pg` has it since 8.17. */
  getTransactionStatus?(): string | null;
};

function hasQuery(tx: object): tx is PgClientInTransaction {
  return 'query' in tx && typeof tx.query === 'function';
}

function isSqlTransaction(tx: object): tx is SqlTransaction {
  return hasQuery(tx) && 'finished' in tx && typeof tx.finished === 'boolean';
}

function isPgliteTransaction(tx: object): tx is PgliteQueryable & { readonly closed: boolean } {
  return 'exec' in tx && 'closed' in tx && typeof tx.closed === 'boolean';
}

/** A pool, a database or a client of ours would run each statement outside the transaction. */
function isWholeDatabase(tx: object): boolean {
  return 'totalCount' in tx || 'transaction' in tx || 'dialect' in tx;
}

function openOnly(tx: SqlTransaction): SqlTransaction {
  if (tx.finished) throw finishedError('it was joined after its end');
  return tx;
}

function foreignError(tx: object): EventError<'TX_FOREIGN'> {
  const expected = 'an open transaction that has query(text, params)';
  return new EventError(
    'TX_FOREIGN',
    `expected ${expected}, got ${tx.constructor?.name ?? 'an object'}; pass context.tx, a pg client after BEGIN, or PGlite's transaction`,
    { expected },
  );
}
