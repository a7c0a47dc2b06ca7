import { runOutsideScope } from '@waybill/core/adapter';
import { EventError } from '@waybill/core';
import type { Clock } from '@waybill/core';

import type { SqlClient, SqlTransaction } from './sql-client.ts';

/**
 * An advisory lock that the server holds for exactly as long as this process is connected.
 *
 * It lives in a transaction that stays open and otherwise idle on a connection of its own: that works
 * behind a pooler that hands out sessions per transaction, and a process that dies frees it at once.
 * The transaction reads and writes nothing, so it holds no snapshot that would keep dead rows alive.
 */
export class ProcessLock {
  readonly key: bigint;
  readonly #client: SqlClient;
  readonly #clock: Clock;
  readonly #checkEveryMs: number;
  readonly #released = new AbortController();
  #held: Promise<void> | undefined;
  #running: Promise<void> | undefined;

  /** @param options.checkEveryMs How often to see whether the connection is still there, in milliseconds. */
  constructor(options: { client: SqlClient; clock: Clock; key: bigint; checkEveryMs: number }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.key = options.key;
    this.#checkEveryMs = options.checkEveryMs;
  }

  /**
   * Takes the lock, and takes it again whenever its connection was lost.
   *
   * @throws {EventError} `CAPABILITY_MISSING` if the pool is too small for it; `STORE_UNAVAILABLE` if it could not be taken the first time; `STOPPING` after `release`.
   */
  async hold(): Promise<void> {
    if (!this.#held) {
      const held = Promise.withResolvers<void>();
      this.#held = held.promise;
      this.#running = runOutsideScope(() => this.#keep(held));
    }
    await this.#held;
  }

  async release(): Promise<void> {
    this.#released.abort();
    await this.#running;
  }

  async #keep(held: PromiseWithResolvers<void>): Promise<void> {
    let isAgain = false;
    const onHeld = (): void => {
      isAgain = true;
      held.resolve();
    };
    while (!this.#released.signal.aborted) {
      try {
        await this.#client.run((tx) => this.#holdOpen(tx, onHeld), { holds: 'for good' });
      } catch (error) {
        if (!isAgain) {
          this.#held = undefined;
          held.reject(error);
          return;
        }
        // Who took over while the lock was free has a newer token, so the next try may take its time.
        await this.#clock.sleep(this.#checkEveryMs, this.#released.signal);
      }
    }
    // Released before it was held: whoever waits for it must not wait for good.
    held.reject(new EventError('STOPPING', 'the process gives its lock up', { what: 'lock' }));
  }

  async #holdOpen(tx: SqlTransaction, onHeld: () => void): Promise<void> {
    await tx.query(
      `SELECT set_config(name, '0', true) FROM pg_settings
       WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`,
      [],
    );
    await tx.query('SELECT pg_advisory_xact_lock($1)', [this.key]);
    onHeld();
    while (!this.#released.signal.aborted) {
      await this.#clock.sleep(this.#checkEveryMs, this.#released.signal);
      if (!this.#released.signal.aborted) await tx.query('SELECT 1', []);
    }
  }
}
