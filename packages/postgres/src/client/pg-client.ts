import { systemClock } from '@waybill/core';
import {
  assertKnownOptions,
  assertRange,
  maxTimerMs,
  type OptionNames,
  runJoined,
} from '@waybill/core/adapter';
import type { Clock, TransactionOptions } from '@waybill/core';

import { closedError } from './closed-error.ts';
import { identityOverPg } from './database-identity.ts';
import { joinable } from './joinable.ts';
import { assertConnectionString } from './connection-string.ts';
import { PgConnection } from './pg-connection.ts';
import { loadPg } from './pg-driver.ts';
import type { PgPool } from './pg-driver.ts';
import { PgListener } from './pg-listener.ts';
import { outlastWork, runTransaction } from './run-transaction.ts';
import type { SqlClient, SqlResult, SqlTransaction, StatementOptions } from './sql-client.ts';

/** A server by its address, or the application's own pool, which stays the application's to end. */
export type PostgresOptions = (
  | {
      readonly connectionString: string;
      /** Most connections, one more while something listens; 10 unless given. */
      readonly maxConnections?: number;
      /** How long to wait for a connection, in milliseconds; 10,000 unless given. */
      readonly connectTimeoutMs?: number;
    }
  | { readonly pool: PgPool }
) & {
  /**
   * Whether sessions may keep prepared statements. They do unless told not to: say `false` behind a
   * pooler that gives each transaction another session and does not know prepared statements.
   */
  readonly prepare?: boolean;
  readonly clock?: Clock;
};

/**
 * Opens a PostgreSQL database over `pg`; nothing is sent before the first statement.
 *
 * @throws {TypeError} if neither a connection string nor a pool is given, or an option is not usable.
 */
export function openPostgres(options: PostgresOptions): SqlClient {
  assertKnownOptions('openPostgres', options, knownOptions);
  return new PgClient(poolOf(options), options.clock ?? systemClock, options.prepare ?? true);
}

const knownOptions: OptionNames<PostgresOptions> = {
  connectionString: true,
  maxConnections: true,
  connectTimeoutMs: true,
  pool: true,
  prepare: true,
  clock: true,
};

interface PoolSource {
  open(): Promise<PgPool>;
  close(pool: PgPool): Promise<void>;
}

function poolOf(options: PostgresOptions): PoolSource {
  if ('pool' in options && options.pool) {
    const { pool } = options;
    return { open: async () => pool, close: async () => {} };
  }
  if (!('connectionString' in options) || !options.connectionString) {
    throw new TypeError('openPostgres needs { connectionString } or { pool }.');
  }
  const { connectionString, maxConnections = 10, connectTimeoutMs = 10_000 } = options;
  assertConnectionString(connectionString);
  assertRange('openPostgres', 'maxConnections', maxConnections, 1, 10_000, true);
  assertRange('openPostgres', 'connectTimeoutMs', connectTimeoutMs, 1, maxTimerMs);
  return {
    async open() {
      const { Pool } = await loadPg();
      return new Pool({
        connectionString,
        max: maxConnections + 1,
        connectionTimeoutMillis: connectTimeoutMs,
        keepAlive: true,
        application_name: 'waybill',
      });
    },
    close: (pool) => pool.end(),
  };
}

class PgClient implements SqlClient {
  readonly dialect = 'postgres';
  readonly #source: PoolSource;
  readonly #listener: PgListener;
  readonly #prepares: boolean;
  #pool: Promise<PgPool> | undefined;
  #closed = false;

  constructor(source: PoolSource, clock: Clock, prepares: boolean) {
    this.#source = source;
    this.#prepares = prepares;
    this.#listener = new PgListener(() => this.#checkOut(), clock);
  }

  async query<Row extends object = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<SqlResult<Row>> {
    return await this.#using((connection) => connection.execute<Row>(text, params, options));
  }

  async run<T>(work: (tx: SqlTransaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return await runJoined(this, work, (joined) =>
      outlastWork(joined, (tracked) =>
        this.#using((connection) => runTransaction(connection, tracked, options)),
      ),
    );
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    return await this.#listener.listen(channel, heard);
  }

  identity(tx?: object): Promise<string> {
    return identityOverPg(tx ? joinable(tx) : this);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#listener.close();
    const pool = await this.#pool;
    if (pool) await this.#source.close(pool);
  }

  async #using<T>(work: (connection: PgConnection) => Promise<T>): Promise<T> {
    const connection = await this.#checkOut();
    try {
      return await work(connection);
    } finally {
      connection.release();
    }
  }

  async #checkOut(): Promise<PgConnection> {
    if (this.#closed) throw closedError();
    this.#pool ??= this.#openPool();
    return await PgConnection.checkOut(await this.#pool, this.#prepares);
  }

  async #openPool(): Promise<PgPool> {
    try {
      const pool = await this.#source.open();
      surviveLostConnections(pool);
      return pool;
    } catch (error) {
      this.#pool = undefined;
      throw error;
    }
  }
}

const survivors = new WeakSet<PgPool>();

/**
 * The pool replaces an idle connection that was lost; without a listener the error would end the
 * process. The listeners stay: also a pool that was ended reports what happens to its last connections.
 * Each connection has one of its own from the start, because the server may end it with the very packet
 * that says that it is ready: after the pool has let go of it, and before anybody else could take hold.
 */
function surviveLostConnections(pool: PgPool): void {
  if (survivors.has(pool)) return;
  survivors.add(pool);
  pool.on('error', ignoreError);
  pool.on('connect', (client) => client.on('error', ignoreError));
}

/** A lost connection also fails the statement under way, or the next one. */
function ignoreError(): void {}
