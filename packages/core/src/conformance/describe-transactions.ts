import assert from 'node:assert/strict';

import { isEventError } from '../errors.ts';
import { currentScope, holdHandler } from '../handler-scope.ts';
import type { Outbox } from '../publish/outbox.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from './store/store-bench.ts';
import { to } from './outbox/outbox-cases.ts';
import { itWhen, type TestApi } from './test-api.ts';

/**
 * The law of `TransactionRunner`, seen through an outbox that joins its transactions.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeTransactions(
  name: string,
  options: StoreConformanceOptions<Outbox>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const whenKnown = itWhen(
    it,
    options.capabilities.identity ?? false,
    'does not say which database it is on',
  );

  const whenCut = itWhen(it, options.cuts ?? false, 'has no connection that could be lost');

  describe(`transactions ${name}`, () => {
    it(
      'commits when the work resolves, and answers what it returned',
      bench(async (b) => {
        const answer = await b.transactions.run(async (tx) => {
          await b.store.add([b.message()], { ...to, tx });
          return 'done';
        });
        assert.equal(answer, 'done');
        assert.equal(await waiting(b), 1);
      }),
    );

    it(
      'rolls back when the work rejects, and rejects with the very reason',
      bench(async (b) => {
        await b.rolledBack((tx) => b.store.add([b.message()], { ...to, tx }));
        assert.equal(await waiting(b), 0);
      }),
    );

    it(
      'rolls back and refuses the handle as soon as the signal is aborted',
      bench(async (b) => {
        const controller = new AbortController();
        let refusal: unknown;
        const running = b.transactions.run(
          async (tx) => {
            await b.store.add([b.message()], { ...to, tx });
            controller.abort(new Error('took too long'));
            refusal = await b.store
              .add([b.message()], { ...to, tx })
              .catch((error: unknown) => error);
          },
          { signal: controller.signal },
        );
        await assert.rejects(running);
        assert.ok(isEventError(refusal, 'TX_FINISHED'), String(refusal));
        assert.equal(await waiting(b), 0);
      }),
    );

    it(
      'does not keep others waiting for work that was aborted and hangs',
      bench(async (b) => {
        const controller = new AbortController();
        const { promise: hanging, resolve: release } = Promise.withResolvers<void>();
        const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
        const stuck = b.transactions.run(
          async (tx) => {
            await b.store.add([b.message()], { ...to, tx });
            enter();
            await hanging;
          },
          { signal: controller.signal },
        );
        const settled = stuck.then(
          () => 'committed',
          () => 'rolled back',
        );
        await entered;
        controller.abort(new Error('took too long'));
        await b.transactions.run((tx) => b.store.add([b.message({ id: 'next' })], { ...to, tx }));
        assert.equal(await waiting(b), 1);
        release();
        assert.equal(await settled, 'rolled back');
        assert.equal(await waiting(b), 1);
      }),
    );

    it(
      'does not end before its work has, so that nobody repeats work that still runs',
      bench(async (b) => {
        const controller = new AbortController();
        const { promise: hanging, resolve: release } = Promise.withResolvers<void>();
        const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
        const order: string[] = [];
        const running = b.transactions.run(
          async () => {
            enter();
            await hanging;
            order.push('work');
          },
          { signal: controller.signal },
        );
        const ended = running.catch(() => undefined).then(() => order.push('transaction'));
        await entered;
        controller.abort(new Error('took too long'));
        await b.transactions.run(async (tx) => b.store.add([b.message()], { ...to, tx }));
        release();
        await ended;
        assert.deepEqual(order, ['work', 'transaction']);
      }),
    );

    it(
      'does not begin when the signal was aborted before',
      bench(async (b) => {
        let begun = false;
        const running = b.transactions.run(async () => void (begun = true), {
          signal: AbortSignal.abort(new Error('too late')),
        });
        await assert.rejects(running);
        assert.equal(begun, false);
      }),
    );

    it(
      'keeps what was committed when the signal is aborted afterwards',
      bench(async (b) => {
        const controller = new AbortController();
        await b.transactions.run((tx) => b.store.add([b.message()], { ...to, tx }), {
          signal: controller.signal,
        });
        controller.abort();
        assert.equal(await waiting(b), 1);
      }),
    );

    it(
      'is joined by what is called in its work and says nothing',
      bench(async (b) => {
        await b.rolledBack(() => b.store.add([b.message()], to));
        assert.equal(await waiting(b), 0);
        await b.transactions.run(() => b.store.add([b.message()], to));
        assert.equal(await waiting(b), 1);
      }),
    );

    it(
      'commits what was begun in its work and not awaited',
      bench(async (b) => {
        await b.transactions.run(async () => {
          const begun = turns(10).then(() => b.store.add([b.message()], to));
          begun.catch(() => undefined);
          holdHandler(begun);
        });
        assert.equal(await waiting(b), 1);
      }),
    );

    it(
      'tells after the commit what waits for it, and nothing after it was rolled back',
      bench(async (b) => {
        const told: string[] = [];
        await b.transactions.run(async () => {
          currentScope()?.afterCommit(() => told.push('committed'));
          assert.deepEqual(told, []);
        });
        await b.rolledBack(async () => currentScope()?.afterCommit(() => told.push('never')));
        assert.deepEqual(told, ['committed']);
      }),
    );

    whenCut(
      'says that somebody has ended its connection, whatever its work makes of it',
      bench(async (b) => {
        for (const works of [true, false]) {
          let lost = false;
          const running = b.transactions.run(
            async (tx) => {
              await b.store.add([b.message()], { ...to, tx });
              await b.cut();
              if (works) await b.store.add([b.message()], { ...to, tx }).catch(() => undefined);
            },
            { onLost: () => void (lost = true) },
          );
          await assert.rejects(running);
          assert.equal(lost, true, works ? 'under a statement' : 'during the commit');
        }
        assert.equal(await waiting(b), 0);
      }),
    );

    it(
      'says nothing of its connection where its work fails for another reason',
      bench(async (b) => {
        let lost = false;
        const onLost = (): void => void (lost = true);
        const reason = new Error('no');
        const failing = b.transactions.run(() => Promise.reject(reason), { onLost });
        await assert.rejects(failing, (error) => error === reason);
        await b.transactions.run((tx) => b.store.add([b.message()], { ...to, tx }), { onLost });
        assert.equal(lost, false);
      }),
    );

    whenKnown(
      'says which database it is on, and nothing else the next time',
      bench(async (b) => {
        const first = await b.transactions.identity?.();
        assert.equal(typeof first, 'string');
        await b.transactions.run((tx) => b.store.add([b.message()], { ...to, tx }));
        assert.equal(await b.transactions.identity?.(), first);
      }),
    );

    it(
      'runs many transactions that were begun together, each whole or not at all',
      bench(async (b) => {
        const runs = Array.from({ length: 20 }, (_, number) =>
          b.transactions.run(async (tx) => {
            await b.store.add([b.message({ key: `order-${number}` })], { ...to, tx });
            if (number % 4 === 0) throw new Error('no');
            await b.store.add([b.message({ key: `order-${number}` })], { ...to, tx });
          }),
        );
        const outcomes = await Promise.allSettled(runs);
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 15);
        assert.equal(await waiting(b), 30);
      }),
    );
  });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

async function waiting(b: StoreBench<Outbox>): Promise<number> {
  return (await b.store.status()).waiting;
}
