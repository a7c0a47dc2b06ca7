import { currentScope, runInScope } from './handler-scope.ts';
import { PendingWork } from './pending-work.ts';
import type { TransactionRunner } from './transaction.ts';

/**
 * Lets every call of the library that is made in the work of a transaction join it, as in a handler; what an
 * adapter builds its `run` with.
 *
 * The commit waits for what was begun in the work and not awaited; what waits for the commit is told after it.
 *
 * @param runner Whose transaction it is.
 * @param begin Runs the transaction with the work that it is given.
 */
export async function runJoined<Tx extends object, T>(
  runner: TransactionRunner<Tx>,
  work: (tx: Tx) => Promise<T>,
  begin: (work: (tx: Tx) => Promise<T>) => Promise<T>,
): Promise<T> {
  const committed: (() => void)[] = [];
  const result = await begin(async (tx) => {
    let begun: PendingWork | undefined;
    const scope = {
      event: currentScope()?.event,
      tx,
      runner,
      afterCommit: (run: () => void) => void committed.push(run),
      waitFor: (pending: Promise<unknown>) => (begun ??= new PendingWork()).add(pending),
    };
    try {
      return await runInScope(scope, () => work(tx));
    } finally {
      await begun?.ended();
    }
  });
  for (const run of committed) run();
  return result;
}
