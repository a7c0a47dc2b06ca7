import { AsyncLocalStorage } from 'node:async_hooks';

import type { SqlResult, SqlTransaction, StatementOptions } from './sql-client.ts';

/**
 * A transaction that has the only connection of a pool, and lends it to statements that are made in its work and
 * would otherwise wait for it. What they write commits with it; one that fails does not fail the others.
 */
export class LentTransaction {
  readonly #around = new AsyncLocalStorage<SqlTransaction>();

  /** Lends `tx` to what `work` calls. */
  async during<T>(tx: SqlTransaction, work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    return await this.#around.run(tx, () => work(tx));
  }

  /** The transaction that is lent to the current call, if any. */
  get now(): SqlTransaction | undefined {
    const tx = this.#around.getStore();
    return tx?.finished ? undefined : tx;
  }
}

/** Sends a statement in a transaction that is to go on if it fails. */
export async function queryWithin<Row extends object>(
  tx: SqlTransaction,
  ...statement: [string, (readonly unknown[])?, StatementOptions?]
): Promise<SqlResult<Row>> {
  await tx.query('SAVEPOINT waybill_lent');
  try {
    return await tx.query<Row>(...statement);
  } catch (error) {
    await tx.query('ROLLBACK TO SAVEPOINT waybill_lent');
    throw error;
  } finally {
    await tx.query('RELEASE SAVEPOINT waybill_lent');
  }
}
