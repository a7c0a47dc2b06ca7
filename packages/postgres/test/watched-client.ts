import type { SqlClient, SqlResult, SqlTransaction } from '../src/client/sql-client.ts';

/** Runs a statement of a transaction, and may look at it before and afterwards. */
export type Watch = (text: string, run: () => Promise<SqlResult<object>>) => Promise<unknown>;

/** A client whose transactions send each of their statements by way of `watch`. */
export function watchedClient(client: SqlClient, watch: Watch): SqlClient {
  const run: SqlClient['run'] = (work, options) =>
    client.run((tx) => work(watchedTransaction(tx, watch)), options);
  return new Proxy(client, {
    get(target, property) {
      if (property === 'run') return run;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function watchedTransaction(tx: SqlTransaction, watch: Watch): SqlTransaction {
  return {
    get finished() {
      return tx.finished;
    },
    async query(text, params, options) {
      return (await watch(text, () => tx.query(text, params, options))) as never;
    },
  };
}
