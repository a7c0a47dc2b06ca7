import { AsyncLocalStorage } from 'node:async_hooks';

import { EventError } from '@waybill/core';
import { runJoined, runOutsideScope } from '@waybill/core/adapter';
import type { EndSignal } from '@waybill/core';

import { closedError } from './closed-error.ts';
import { identityOfPglite } from './database-identity.ts';
import { executeOnPglite, loadPglite } from './pglite-driver.ts';
import type { PgliteDatabase } from './pglite-driver.ts';
import { quoteIdentifier } from './quote-identifier.ts';
import { outlastWork, runTransaction } from './run-transaction.ts';
import type { RawConnection } from './raw-connection.ts';
import { SerialQueue } from './serial-queue.ts';
import type { SqlClient, SqlResult, SqlTransaction, SqlTransactionOptions } from './sql-client.ts';

/** A directory of its own, nothing but memory, or a database that the application has opened. */
export type PgliteOptions =
  | { readonly directory: string }
  | { readonly memory: true }
  | { readonly database: PgliteDatabase };

/**
 * Opens a PGlite database in this process, without taking the directory's owner lock: `openEmbedded`
 * does both.
 *
 * @throws {EventError} `CAPABILITY_MISSING` if `@electric-sql/pglite` is not installed.
 */
export async function openPglite(options: PgliteOptions): Promise<SqlClient> {
  if ('database' in options) return new PgliteClient(options.database);
  const { create } = await loadPglite();
  return new PgliteClient(await create('directory' in options ? options.directory : 'memory://'));
}

/**
 * PGlite has one connection, and its own `transaction()` blocks it for good when the callback hangs:
 * so the queue is ours, with plain `BEGIN` and `ROLLBACK`.
 */
export class PgliteClient implements SqlClient {
  readonly dialect = 'pglite';
  readonly #database: PgliteDatabase;
  readonly #connection: RawConnection;
  readonly #queue = new SerialQueue();
  /** The transaction that the current call was made in. */
  readonly #around = new AsyncLocalStorage<SqlTransaction>();
  readonly #afterClose: () => Promise<void>;
  #closed = false;

  constructor(database: PgliteDatabase, afterClose: () => Promise<void> = async () => {}) {
    this.#database = database;
    this.#afterClose = afterClose;
    this.#connection = {
      execute: (text, params) => executeOnPglite(database, text, params),
      // There is no other connection to go to; a later BEGIN shows whether this one still answers.
      discard() {},
    };
  }

  async query<Row extends object = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
  ): Promise<SqlResult<Row>> {
    return await this.#inTurn(() => this.#connection.execute<Row>(text, params));
  }

  async run<T>(
    work: (tx: SqlTransaction) => Promise<T>,
    { lends: _lends, ...options }: SqlTransactionOptions = {},
  ): Promise<T> {
    return await runJoined(this, work, (joined) =>
      outlastWork(joined, (tracked) => {
        const scoped = (tx: SqlTransaction): Promise<T> => this.#around.run(tx, () => tracked(tx));
        const begin = (): Promise<T> => runTransaction(this.#connection, scoped, options);
        return this.#inTurn(begin, options.signal);
      }),
    );
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    const listen = `LISTEN ${quoteIdentifier(channel)}`;
    // Its own `listen` knows a name with quotes in it by another spelling than the notification has.
    const stop = this.#database.onNotification((notified, payload) => {
      if (notified === channel) runOutsideScope(() => heard(payload));
    });
    try {
      await this.query(listen);
    } catch (error) {
      stop();
      throw error;
    }
    return async () => stop();
  }

  assertFree(): void {
    if (this.#around.getStore()?.finished !== false) return;
    throw new EventError(
      'TX_SELF_WAIT',
      'this call would wait for the transaction it is made in, because an embedded database has one connection; pass that transaction as tx, or call after it has ended',
      {},
    );
  }

  get origin(): object {
    return this.#database;
  }

  async identity(): Promise<string> {
    return identityOfPglite(this.#database);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.assertFree();
    this.#closed = true;
    try {
      await this.#queue.run(() => this.#database.close());
    } finally {
      await this.#afterClose();
    }
  }

  async #inTurn<T>(task: () => Promise<T>, signal?: EndSignal): Promise<T> {
    if (this.#closed) throw closedError();
    this.assertFree();
    return await this.#queue.run(task, signal);
  }
}
