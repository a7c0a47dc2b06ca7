import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { runInScope, runOutsideScope } from '../../handler-scope.ts';
import type { TransactionChoice } from '../../transaction.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from './store-bench.ts';

/** One kind of write that takes a `TransactionChoice`. */
export interface JoiningWrite<Store> {
  /** What is written, e.g. `an event`. */
  readonly what: string;
  /** Does what has to be there before, and tells how to write and how to see that it was written. */
  prepare(bench: StoreBench<Store>): Promise<{
    readonly write: (choice?: TransactionChoice) => Promise<unknown>;
    readonly isThere: () => Promise<boolean>;
  }>;
}

/** The law of `TransactionChoice`, the same for every store that takes one. */
export function describeTransactionChoice<Store>(
  { what, prepare }: JoiningWrite<Store>,
  options: StoreConformanceOptions<Store>,
  { describe, it }: TestApi,
): void {
  const { transactions, concurrentTransactions } = options.capabilities;
  const bench = onStore(options);
  const joinsNone = 'joins no transactions';
  const whenJoining = itWhen(it, transactions, joinsNone);
  const whenSeveral = itWhen(
    it,
    transactions && concurrentTransactions,
    transactions ? 'has one transaction at a time' : joinsNone,
  );
  const whenOne = itWhen(
    it,
    transactions && !concurrentTransactions,
    transactions ? 'can have several transactions at once' : joinsNone,
  );
  const whenApart = itWhen(it, !transactions, 'joins transactions');
  const inHandler = <T>(b: StoreBench<Store>, tx: object, work: () => Promise<T>): Promise<T> =>
    runInScope({ event: b.event(), tx, afterCommit: (run) => run() }, work);

  describe(`transactions around ${what}`, () => {
    whenJoining(
      `keeps ${what} when the transaction commits`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        await b.transactions.run((tx) => write({ tx }));
        assert.equal(await isThere(), true);
      }),
    );

    whenJoining(
      `keeps nothing of ${what} when the transaction is rolled back, and can do it again`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        await b.rolledBack((tx) => write({ tx }));
        assert.equal(await isThere(), false);
        await write();
        assert.equal(await isThere(), true);
      }),
    );

    whenJoining(
      `joins the transaction of the handler that it is called in with ${what}`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        await b.rolledBack((tx) => inHandler(b, tx, () => write()));
        assert.equal(await isThere(), false);
      }),
    );

    whenSeveral(
      `leaves ${what} out of the handler's transaction when told so`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        await b.rolledBack((tx) => inHandler(b, tx, () => write({ tx: null })));
        assert.equal(await isThere(), true);
      }),
    );

    whenSeveral(
      `shows nobody ${what} before the commit`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        await b.transactions.run(async (tx) => {
          await write({ tx });
          assert.equal(await runOutsideScope(isThere), false);
        });
        assert.equal(await isThere(), true);
      }),
    );

    whenOne(
      `refuses by name to wait for itself with ${what}`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        await b.rolledBack((tx) =>
          assert.rejects(
            inHandler(b, tx, () => write({ tx: null })),
            (error) => isEventError(error, 'TX_SELF_WAIT'),
          ),
        );
        assert.equal(await isThere(), false);
      }),
    );

    whenJoining(
      `refuses ${what} in a transaction that has ended, or that is none of its own`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        let ended: object | undefined;
        await b.transactions.run(async (tx) => void (ended = tx));
        await assert.rejects(write({ tx: ended! }), (error) => isEventError(error, 'TX_FINISHED'));
        await assert.rejects(write({ tx: {} }), (error) => isEventError(error, 'TX_FOREIGN'));
        assert.equal(await isThere(), false);
      }),
    );

    whenApart(
      `refuses by name to join a transaction with ${what}`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        await assert.rejects(write({ tx: {} }), (error) => isEventError(error, 'TX_FOREIGN'));
        assert.equal(await isThere(), false);
        await write({ tx: null });
        assert.equal(await isThere(), true);
      }),
    );

    whenApart(
      `keeps ${what} at once, whatever transaction the handler that it is called in has`,
      bench(async (b) => {
        const { write, isThere } = await prepare(b);
        await inHandler(b, {}, () => write());
        assert.equal(await isThere(), true);
      }),
    );
  });
}
