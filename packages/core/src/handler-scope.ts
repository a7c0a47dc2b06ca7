import { AsyncLocalStorage } from 'node:async_hooks';

import { canHold } from './same-database.ts';
import type { TransactionChoice, TransactionRunner } from './transaction.ts';

/** What calls of the library know without being told, in a handler and in the work of a transaction. */
export interface HandlerScope {
  /** What events that are published now follow from; absent outside handlers. */
  readonly event?: {
    readonly id: string;
    readonly correlationId?: string;
    readonly userId?: string;
    readonly traceparent?: string;
    readonly tracestate?: string;
  };
  readonly tx: object | undefined;
  /** Whose transaction it is. */
  readonly runner?: TransactionRunner | undefined;
  /** Runs something once the transaction has committed; at once where there is none. */
  afterCommit(run: () => void): void;
  /** Lets the handler or the work end, and its transaction commit, only after `work` has ended either way. */
  waitFor?(work: Promise<unknown>): void;
}

const storage = new AsyncLocalStorage<HandlerScope>();

/** Runs `work` so that every call of the library made in it, however deep, sees `scope`. */
export function runInScope<T>(scope: HandlerScope, work: () => T): T {
  return storage.run(scope, work);
}

// Nobody can have entered a scope yet: the storage is as young as this.
const outside = AsyncLocalStorage.snapshot();

/**
 * Runs `work` as if nobody had called it: for loops that some call happens to start, and that live on
 * when the handler, the transaction or the request that it was made in has long ended. Other people's
 * context (a tracer's span, a request's user) is left behind as well, or it would never be freed.
 */
export function runOutsideScope<T>(work: () => T): T {
  return outside(work);
}

/** The handler, or the transaction, that the current call was made in, if any. */
export function currentScope(): HandlerScope | undefined {
  return storage.getStore();
}

/**
 * Makes the handler or transaction that this is called in, if any, end only after `work`, even if it forgets to await
 * it: its transaction would commit without what was just begun.
 */
export function holdHandler(work: Promise<unknown>): void {
  storage.getStore()?.waitFor?.(work);
}

/**
 * The transaction that a call should join.
 *
 * @param own Transactions of the database that the call writes to.
 * @returns The given one; the one around the call if nothing was said and it is on that database; else
 *   `undefined`. It has to be asked once for each two runners, so it may take its time.
 */
export function chosenTransaction(
  choice: TransactionChoice | undefined,
  own: TransactionRunner,
): object | undefined | Promise<object | undefined> {
  const tx = wantedTransaction(choice);
  const runner = choice?.tx ? undefined : storage.getStore()?.runner;
  if (!tx || !runner) return tx;
  const holds = canHold(tx, runner, own);
  return holds === true ? tx : holds.then((can) => (can ? tx : undefined));
}

/** The transaction that a call should join if it were on its database. */
export function wantedTransaction(choice: TransactionChoice | undefined): object | undefined {
  if (choice?.tx === null) return undefined;
  return choice?.tx ?? storage.getStore()?.tx;
}
