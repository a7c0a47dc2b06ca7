import type { TransactionCapacity, TransactionOptions } from '@waybill/core';

/** What a statement returned. `bigint` columns are BigInt, `timestamptz` are Date, `jsonb` is parsed, `bytea` is Uint8Array. */
export interface SqlResult<Row> {
  readonly rows: Row[];
  /** Rows inserted, updated, deleted or selected. */
  readonly rowCount: number;
}

/** How a statement is to be run. */
export interface StatementOptions {
  /**
   * The same text comes again and again, so a session may parse and plan it once. Over `pg` that takes
   * most of the time off a small statement; an embedded database pays no attention to it.
   */
  readonly prepared?: boolean;
}

/**
 * Anything that runs a statement with `$1` parameters: a client, a transaction, a `pg` client.
 *
 * Without `params` the text may hold several statements; the result is the last one's.
 */
export interface SqlQueryable {
  query<Row extends object = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<SqlResult<Row>>;
}

/** An open transaction; refuses statements with `TX_FINISHED` once it has ended or was revoked. */
export interface SqlTransaction extends SqlQueryable {
  readonly finished: boolean;
}

/** How a transaction is to be run. */
export interface SqlTransactionOptions extends TransactionOptions {
  /**
   * On a pool of one connection, statements of this client that are made in the work are sent in the
   * transaction; elsewhere they have connections of their own.
   */
  readonly lends?: boolean;
}

/**
 * One database, over `pg` or PGlite.
 *
 * Errors come as `EventError`: `STORE_UNAVAILABLE` (retryable: connection, shutdown, serialisation,
 * deadlock, statement or lock time-out) or `STORE_REJECTED`, with `sqlState` and the driver's error as
 * `cause`.
 */
export interface SqlClient extends SqlQueryable {
  readonly dialect: 'postgres' | 'pglite';
  /**
   * Runs `work` in a transaction of its own, which calls of the library in it join.
   *
   * @throws What `work` threw, after the rollback.
   */
  run<T>(work: (tx: SqlTransaction) => Promise<T>, options?: SqlTransactionOptions): Promise<T>;
  /** Says whether the current call is lent a transaction, so that what it writes is not there before that commits. */
  isLent?(): boolean;
  /**
   * Calls `heard` for each notification on `channel`, re-subscribing after a lost connection; then
   * with an empty payload, since notifications may have been missed. `heard` must not throw.
   *
   * @throws {EventError} `CAPABILITY_MISSING` where the pool is too small to keep a connection for it: poll.
   */
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
  /**
   * Refuses a call that would wait for the transaction that it is made in, which has the only connection, or one
   * of the few of a small pool. A caller that queues statements
   * of several callers asks this before it queues.
   *
   * @throws {EventError} `TX_SELF_WAIT`
   */
  assertFree?(): void;
  /**
   * Which database this is: equal for two clients of one database, and different for two databases, also
   * of one server. An embedded one is asked nothing. Equal texts count as long as the server runs.
   */
  identity?(tx?: object): Promise<string>;
  /** What its connections come from, as in `TransactionRunner`. */
  readonly origin?: object;
  /** How many transactions its pool serves side by side, as in `TransactionRunner`. */
  capacity?(): TransactionCapacity | undefined;
  close(): Promise<void>;
}
