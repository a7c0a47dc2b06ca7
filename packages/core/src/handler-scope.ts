import { AsyncLocalStorage } from 'node:async_hooks';

import type { EventEnvelope } from './envelope.ts';
import type { TransactionChoice } from './transaction.ts';

/** What a handler's calls of the library know without being told. */
export interface HandlerScope {
  readonly event: EventEnvelope;
  readonly tx: object | undefined;
  /** Runs something once the handler's transaction has committed; at once where there is none. */
  afterCommit(run: () => void): void;
}

const storage = new AsyncLocalStorage<HandlerScope>();

/** Runs `work` so that every call of the library made in it, however deep, sees `scope`. */
export function runInScope<T>(scope: HandlerScope, work: () => T): T {
  return storage.run(scope, work);
}

/**
 * Runs `work` as if no handler had called it: for loops that a handler's call happens to start, and
 * that live on when its transaction has long ended.
 */
export function runOutsideScope<T>(work: () => T): T {
  return storage.exit(work);
}

/** The handler that the current call was made in, if any. */
export function currentScope(): HandlerScope | undefined {
  return storage.getStore();
}

/**
 * The transaction that a call should join.
 *
 * @returns The given one; the handler's if nothing was said; `undefined` for `null` and outside handlers.
 */
export function chosenTransaction(choice: TransactionChoice | undefined): object | undefined {
  if (choice?.tx === null) return undefined;
  return choice?.tx ?? storage.getStore()?.tx;
}
