import type { TransactionRunner } from '../../transaction.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions, StoreSubject } from '../store/store-bench.ts';
import { changed } from './changed.ts';

/** What a faulty store does differently; called for each case. */
export type StoreChanges<Store> = (inner: Store) => Partial<Store>;

/** A fault of a store. */
export function storeFault<Store extends object>(
  name: string,
  noticedBy: string,
  changes: StoreChanges<Store>,
): PlantedFault<StoreConformanceOptions<Store>> {
  return subjectFault(name, noticedBy, ({ store }) => ({ store: changed(store, changes(store)) }));
}

/** A fault of the transactions that a store is to join. */
export function transactionFault<Store extends object>(
  name: string,
  noticedBy: string,
  changes: (inner: TransactionRunner) => Partial<TransactionRunner>,
): PlantedFault<StoreConformanceOptions<Store>> {
  return subjectFault(name, noticedBy, ({ transactions }) =>
    transactions ? { transactions: changed(transactions, changes(transactions)) } : {},
  );
}

/** Commits what should be rolled back: the fault that every store's suite has to notice. */
export function forgetsRollback<Store extends object>(
  noticedBy: string,
): PlantedFault<StoreConformanceOptions<Store>> {
  return transactionFault('commits what should be rolled back', noticedBy, rollbackForgotten);
}

/** Transactions that commit although their work rejected. */
export function rollbackForgotten(inner: TransactionRunner): Partial<TransactionRunner> {
  return {
    run: async <T>(...[work, options]: Parameters<TransactionRunner['run']>) => {
      const outcome = await inner.run(
        (tx) =>
          work(tx).then(
            (value) => ({ value }),
            (error: unknown) => ({ error }),
          ),
        options,
      );
      if ('error' in outcome) throw outcome.error;
      return outcome.value as T;
    },
  };
}

function subjectFault<Store extends object>(
  name: string,
  noticedBy: string,
  changes: (subject: StoreSubject<Store>) => Partial<StoreSubject<Store>>,
): PlantedFault<StoreConformanceOptions<Store>> {
  return {
    name,
    noticedBy,
    plant: (options) => ({
      ...options,
      create: async () => {
        const subject = await options.create();
        return changed(subject, changes(subject));
      },
    }),
  };
}
