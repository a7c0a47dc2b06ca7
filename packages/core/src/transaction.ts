import type { EndSignal } from './end-signal.ts';

/**
 * Runs work in a database transaction. To the engine a transaction is an opaque object; only the
 * adapter that made it, and the handler it is given to, know what it can do.
 */
export interface TransactionRunner<Tx extends object = object> {
  /**
   * Begins a transaction, runs `work`, and commits when it resolves or rolls back when it rejects. Calls of the
   * library that are made in `work` join it unless they say otherwise, as in a handler.
   * Ends no earlier than `work` does, also when it was aborted: nobody repeats what still runs.
   *
   * @returns What `work` returned, once the commit is durable.
   * @throws What `work` threw; `STORE_UNAVAILABLE` if the outcome of the commit is unknown.
   */
  run<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * For adapters with one connection: refuses a call that would wait for the very transaction that it
   * is made in.
   *
   * @throws {EventError} `TX_SELF_WAIT`
   */
  assertFree?(): void;
  /**
   * Which database the transactions are on: equal for two runners of one database, and different for two
   * databases, also of one server. Equal texts count as long as the server runs; do not keep them.
   *
   * @param tx An open transaction of this runner to ask in.
   * @throws {EventError} `STORE_UNAVAILABLE` if the database has to be asked and is away.
   */
  identity?(tx?: object): Promise<string>;
  /** What its connections come from; runners that have the same are on one database, and nobody is asked. */
  readonly origin?: object;
  /** How many transactions it serves side by side; `undefined`, or absent, where that is not known. */
  capacity?(): TransactionCapacity | undefined;
}

export interface TransactionCapacity {
  /** Transactions that can be open at once while calls outside them find a connection, too. */
  readonly atOnce: number;
  /** What to set so that it serves so many, in words, such as `maxConnections: 54`. */
  toServe(count: number): string;
}

export interface TransactionOptions {
  /** The server ends a statement after this long, in milliseconds. */
  statementTimeoutMs?: number;
  /** The server ends the transaction when nothing was sent for this long, in milliseconds. */
  idleTimeoutMs?: number;
  /** The server gives up waiting for a lock after this long, in milliseconds. */
  lockTimeoutMs?: number;
  /**
   * What its work does with the connection meanwhile. `briefly`: it sends statements and waits for nothing else,
   * so it may have one that is kept for such work. `for good`: it keeps it until it is told to end. Unless given,
   * it may wait for other calls of the same database.
   */
  holds?: 'briefly' | 'for good';
  /** When aborted, the handle refuses further statements (`TX_FINISHED`) and the transaction is rolled back. */
  signal?: EndSignal;
  /**
   * Called when somebody else has ended the connection that the transaction is on, before or during the commit:
   * it was rolled back, or its outcome is unknown. `run` rejects then. Adapters over a network call it.
   */
  onLost?: () => void;
}

/**
 * How a call relates to the transaction it is made in: a transaction to join, `null` to stay out of
 * the one of the handler, or nothing to join the handler's if there is one.
 */
export interface TransactionChoice {
  tx?: object | null;
}
