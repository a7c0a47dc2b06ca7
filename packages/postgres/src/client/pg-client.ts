import { systemClock } from '@waybill/core';
import {
  assertKnownOptions,
  assertRange,
  maxTimerMs,
  type OptionNames,
  runJoined,
} from '@waybill/core/adapter';
import type { Clock, TransactionCapacity, TransactionOptions } from '@waybill/core';

import { closedError } from './closed-error.ts';
import { identityOverPg } from './database-identity.ts';
import { LentTransaction, queryWithin } from './lent-transaction.ts';
import { joinable } from './joinable.ts';
import { assertConnectionString } from './connection-string.ts';
import { PgConnection } from './pg-connection.ts';
import { loadPg } from './pg-driver.ts';
import type { PgPool } from './pg-driver.ts';
import { PgListener } from './pg-listener.ts';
import { PoolGate } from './pool-gate.ts';
import { capacityOf } from './pool-shares.ts';
import { outlastWork, runTransaction } from './run-transaction.ts';
import type {
  SqlClient,
  SqlResult,
  SqlTransaction,
  SqlTransactionOptions,
  StatementOptions,
} from './sql-client.ts';

/** A server by its address, or the application's own pool, which stays the application's to end. */
export type PostgresOptions = (
  | {
      readonly connectionString: string;
      /**
       * Most connections, one more while something listens; 14 unless given. That is enough for ten handlers at
       * once, each in a transaction, and for what they call outside it.
       */
      readonly maxConnections?: number;
      /** How long to wait for a connection, in milliseconds; 10,000 unless given. A handler waits as long as it may. */
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
  const { clock = systemClock, prepare = true } = options;
  return new PgClient({ source: poolOf(options), clock, prepares: prepare });
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
  /** Most connections; `undefined` if it does not say. */
  readonly size: number | undefined;
  /** How long to wait for a connection, in milliseconds; for good unless given. */
  readonly timeoutMs: number | undefined;
  /** What clients over the same connections have in common. */
  readonly origin: object;
  /** Says how to get a pool of a size. */
  setting(size: number): string;
  open(): Promise<PgPool>;
  close(pool: PgPool): Promise<void>;
}

function poolOf(options: PostgresOptions): PoolSource {
  if ('pool' in options && options.pool) {
    const { pool } = options;
    const { max, connectionTimeoutMillis: timeoutMs } = pool.options ?? {};
    const setting = (size: number): string => `max: ${size} for the pool`;
    return {
      size: max,
      timeoutMs,
      origin: pool,
      setting,
      open: async () => pool,
      close: async () => {},
    };
  }
  if (!('connectionString' in options) || !options.connectionString) {
    throw new TypeError('openPostgres needs { connectionString } or { pool }.');
  }
  const { connectionString, maxConnections = 14, connectTimeoutMs = 10_000 } = options;
  assertConnectionString(connectionString);
  assertRange('openPostgres', 'maxConnections', maxConnections, 1, 10_000, true);
  assertRange('openPostgres', 'connectTimeoutMs', connectTimeoutMs, 1, maxTimerMs);
  return {
    size: maxConnections + 1,
    timeoutMs: connectTimeoutMs,
    origin: {},
    setting: (size) => `maxConnections: ${size - 1}`,
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
  readonly origin: object;
  readonly #source: PoolSource;
  readonly #clock: Clock;
  readonly #gate: PoolGate;
  readonly #lent = new LentTransaction();
  readonly #listener: PgListener;
  readonly #prepares: boolean;
  #pool: Promise<PgPool> | undefined;
  #closed = false;

  constructor(options: { source: PoolSource; clock: Clock; prepares: boolean }) {
    const { source, clock, prepares } = options;
    this.origin = source.origin;
    this.#source = source;
    this.#clock = clock;
    this.#prepares = prepares;
    this.#gate = gateOf(source);
    this.#listener = new PgListener(() => this.#checkOutForGood('listener'), clock);
  }

  async query<Row extends object = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<SqlResult<Row>> {
    const lent = this.#lent.now;
    if (lent) return await queryWithin<Row>(lent, text, params, options);
    const ask = (connection: PgConnection) => connection.execute<Row>(text, params, options);
    return await this.#using({ holds: 'briefly' }, ask);
  }

  async run<T>(
    work: (tx: SqlTransaction) => Promise<T>,
    { lends = false, ...options }: SqlTransactionOptions = {},
  ): Promise<T> {
    const isLent = lends && this.#gate.isSingle;
    const lending = (tx: SqlTransaction): Promise<T> => this.#lent.during(tx, work);
    return await runJoined(this, isLent ? lending : work, (joined) =>
      outlastWork(joined, (tracked) =>
        this.#using(options, (connection) => runTransaction(connection, tracked, options)),
      ),
    );
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    return await this.#listener.listen(channel, heard);
  }

  isLent(): boolean {
    return this.#lent.now !== undefined;
  }

  assertFree(): void {
    if (!this.isLent()) this.#gate.assertFree();
  }

  capacity(): TransactionCapacity | undefined {
    const { size, setting } = this.#source;
    return size === undefined ? undefined : capacityOf(size, setting);
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

  async #using<T>(
    { holds, signal }: Pick<TransactionOptions, 'holds' | 'signal'>,
    work: (connection: PgConnection) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw closedError();
    if (holds === 'for good') return await within(await this.#checkOutForGood('lock'), work);
    const { timeoutMs } = this.#source;
    const entering = this.#gate.enter(holds === 'briefly', {
      signal,
      timeoutMs,
      clock: this.#clock,
    });
    const leave = entering instanceof Promise ? await entering : entering;
    try {
      const connection = await this.#checkOut();
      const use = (): Promise<T> => within(connection, work);
      return await (holds === 'briefly' ? use() : this.#gate.hold(use));
    } finally {
      leave();
    }
  }

  async #checkOutForGood(what: 'listener' | 'lock'): Promise<PgConnection> {
    const giveBack = this.#gate.keep(what);
    try {
      const connection = await this.#checkOut();
      connection.onReleased = giveBack;
      return connection;
    } catch (error) {
      giveBack();
      throw error;
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

async function within<T>(
  connection: PgConnection,
  work: (connection: PgConnection) => Promise<T>,
): Promise<T> {
  try {
    return await work(connection);
  } finally {
    connection.release();
  }
}

const gates = new WeakMap<object, PoolGate>();

/** One for each pool, whoever uses it. A pool that does not say how large it is lets everybody in. */
function gateOf({ origin, size = Number.MAX_SAFE_INTEGER }: PoolSource): PoolGate {
  let gate = gates.get(origin);
  if (!gate) gates.set(origin, (gate = new PoolGate(size)));
  return gate;
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
