import { currentScope, runInScope, type HandlerScope } from '../../handler-scope.ts';
import { randomIds } from '../../ids.ts';
import type { Outbox } from '../../publish/outbox.ts';
import type { TransactionRunner } from '../../transaction.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { forgetsRollback, transactionFault } from './store-fault.ts';

/** Ways in which transactions can be wrong, each with the case of `describeTransactions` that notices it. */
export const plantedTransactionFaults: readonly PlantedFault<StoreConformanceOptions<Outbox>>[] = [
  forgetsRollback<Outbox>('rolls back when the work rejects, and rejects with the very reason'),
  transactionFault<Outbox>(
    'ends before its work when it is aborted',
    'does not end before its work has, so that nobody repeats work that still runs',
    (inner) => ({
      run: async <T>(...[work, options]: Parameters<TransactionRunner['run']>) => {
        const { promise: aborted, reject } = Promise.withResolvers<never>();
        options?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        return (await Promise.race([inner.run(work, options), aborted])) as T;
      },
    }),
  ),
  transactionFault<Outbox>(
    'does not hear that it is aborted',
    'rolls back and refuses the handle as soon as the signal is aborted',
    (inner) => ({
      run: <T>(...[work, options]: Parameters<TransactionRunner['run']>) =>
        inner.run(work, { ...options, signal: undefined }) as Promise<T>,
    }),
  ),
  inScope(
    'lends its transaction to nobody',
    'is joined by what is called in its work and says nothing',
    (scope) => ({ ...scope, tx: undefined }),
  ),
  inScope(
    'commits before what was begun in its work',
    'commits what was begun in its work and not awaited',
    (scope) => ({ ...scope, waitFor() {} }),
  ),
  inScope(
    'tells of its commit too early',
    'tells after the commit what waits for it, and nothing after it was rolled back',
    (scope) => ({ ...scope, afterCommit: (run) => run() }),
  ),
  transactionFault<Outbox>(
    'keeps it to itself that its connection was ended',
    'says that somebody has ended its connection, whatever its work makes of it',
    (inner) => ({
      run: <T>(...[work, options]: Parameters<TransactionRunner['run']>) =>
        inner.run(work, { ...options, onLost: undefined }) as Promise<T>,
    }),
  ),
  transactionFault<Outbox>(
    'takes every failure for the end of its connection',
    'says nothing of its connection where its work fails for another reason',
    (inner) => ({
      run: async <T>(...[work, options]: Parameters<TransactionRunner['run']>) => {
        try {
          return (await inner.run(work, options)) as T;
        } catch (error) {
          options?.onLost?.();
          throw error;
        }
      },
    }),
  ),
  transactionFault<Outbox>(
    'says which call it was, not which database',
    'says which database it is on, and nothing else the next time',
    (inner) => ({ identity: async () => `${await inner.identity?.()} ${randomIds()}` }),
  ),
];

/** A fault of what the calls in the work know of the transaction. */
function inScope(
  name: string,
  noticedBy: string,
  change: (scope: HandlerScope) => HandlerScope,
): PlantedFault<StoreConformanceOptions<Outbox>> {
  return transactionFault<Outbox>(name, noticedBy, (inner) => ({
    run: <T>(...[work, options]: Parameters<TransactionRunner['run']>) =>
      inner.run((tx) => runInScope(change(currentScope()!), () => work(tx)), options) as Promise<T>,
  }));
}
