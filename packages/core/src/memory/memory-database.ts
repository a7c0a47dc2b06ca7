import { AsyncLocalStorage } from 'node:async_hooks';

import { EventError } from '../errors.ts';
import { chosenTransaction } from '../handler-scope.ts';
import { randomIds } from '../ids.ts';
import type { TransactionChoice, TransactionOptions, TransactionRunner } from '../transaction.ts';
import { runJoined } from '../transaction-scope.ts';
import { MemoryTransaction } from './memory-transaction.ts';

/**
 * Transactions for the stores in memory: one at a time, undone when their work fails.
 *
 * Nothing ever waits for a lock inside a transaction, so its timeouts have nothing to end and only
 * `signal` counts.
 */
export class MemoryDatabase implements TransactionRunner<MemoryTransaction> {
  readonly #own = new WeakSet<object>();
  readonly #identity = `memory ${randomIds()}`;
  readonly #inside = new AsyncLocalStorage<MemoryTransaction>();
  #lastEnd: Promise<void> = Promise.resolve();

  async run<T>(
    work: (tx: MemoryTransaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return await runJoined(this, work, (joined) => this.#run(joined, options));
  }

  async #run<T>(
    work: (tx: MemoryTransaction) => Promise<T>,
    { signal }: TransactionOptions,
  ): Promise<T> {
    const { tx, free } = await this.#begin();
    const revoke = (): void => {
      tx.rollBack('revoked');
      free();
    };
    signal?.addEventListener('abort', revoke, { once: true });
    try {
      if (signal?.aborted) revoke();
      tx.assertOpen();
      const result = await this.#inside.run(tx, () => work(tx));
      tx.commit();
      return result;
    } catch (error) {
      tx.rollBack('rolled back');
      throw error;
    } finally {
      signal?.removeEventListener('abort', revoke);
      free();
    }
  }

  /**
   * Runs one step of a store in the transaction that the call asks for, or in one of its own.
   *
   * @throws {EventError} `TX_FOREIGN`, `TX_FINISHED`, `TX_SELF_WAIT`
   */
  async join<T>(
    choice: TransactionChoice | undefined,
    step: (tx: MemoryTransaction) => T,
  ): Promise<T> {
    const choosing = chosenTransaction(choice, this);
    const chosen = choosing instanceof Promise ? await choosing : choosing;
    if (chosen) return step(this.own(chosen));
    return await this.#run(async (tx) => step(tx), {});
  }

  /**
   * The open transaction behind a handle.
   *
   * @throws {EventError} `TX_FOREIGN` if it is not one of this database, `TX_FINISHED` if it has ended.
   */
  own(tx: object): MemoryTransaction {
    if (!(tx instanceof MemoryTransaction) || !this.#own.has(tx)) {
      throw new EventError(
        'TX_FOREIGN',
        'the given transaction is not one of this MemoryDatabase',
        {
          expected: 'a MemoryTransaction of the same MemoryDatabase',
        },
      );
    }
    tx.assertOpen();
    return tx;
  }

  /** @throws {EventError} `TX_SELF_WAIT` if the call is made inside an open transaction. */
  assertFree(): void {
    if (!this.#inside.getStore()?.open) return;
    throw new EventError(
      'TX_SELF_WAIT',
      'a call outside the transaction was made inside it and would wait for its end; pass the transaction',
      {},
    );
  }

  async identity(): Promise<string> {
    return this.#identity;
  }

  /** Waits for the transaction before; `free` lets the next one go. */
  async #begin(): Promise<{ tx: MemoryTransaction; free: () => void }> {
    this.assertFree();
    const before = this.#lastEnd;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastEnd = promise;
    await before;
    const tx = new MemoryTransaction();
    this.#own.add(tx);
    return { tx, free: resolve };
  }
}
