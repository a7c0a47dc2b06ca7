import assert from 'node:assert/strict';

import type { Outbox } from '../publish/outbox.ts';
import { partitionCount, partitionOf } from '../partition.ts';
import type { Message } from '../event/message.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from './store/store-bench.ts';
import { describeTransactionChoice } from './store/transaction-choice.ts';
import { itWhen, type TestApi } from './test-api.ts';
import { assertSameMessage } from './transport/assert-messages.ts';

/**
 * The law of `Outbox`.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeOutbox(
  name: string,
  options: StoreConformanceOptions<Outbox>,
  api: TestApi,
): void {
  const { describe, it } = api;
  const bench = onStore(options);
  const whenSeveral = itWhen(
    it,
    options.capabilities.concurrentTransactions,
    'has one transaction at a time',
  );

  describe(`outbox ${name}`, () => {
    it(
      'publishes what was added, whole and in order, and forgets it',
      bench(async (b) => {
        const messages = [
          b.message({ body: '{"text":"ü ☂"}', headers: { note: 'ünï' } }),
          b.message({ body: Uint8Array.from({ length: 256 }, (_, index) => index) }),
          b.message({ contentType: 'application/json', type: 'order.paid' }),
        ];
        await b.store.add(messages);
        const published = await drainAll(b);
        assert.equal(published.length, 3);
        for (const [index, message] of published.entries()) {
          assertSameMessage(message, messages[index]!);
        }
        assert.deepEqual(await drainAll(b), []);
      }),
    );

    it(
      'keeps the order of every key over many calls',
      bench(async (b) => {
        const added: Message[] = [];
        for (let call = 0; call < 30; call += 1) {
          const keys = [`order-${call % 7}`, `order-${call % 3}`];
          const messages = keys.map((key) => b.message({ key }));
          await b.store.add(messages);
          added.push(...messages);
        }
        const published = await drainAll(b, 4);
        for (let number = 0; number < 7; number += 1) {
          const ofKey = (messages: readonly Message[]): string[] =>
            messages.filter(({ key }) => key === `order-${number}`).map(({ id }) => id);
          assert.deepEqual(ofKey(published), ofKey(added));
        }
        assert.equal(published.length, added.length);
      }),
    );

    it(
      'puts each key into the partition that its hash says',
      bench(async (b) => {
        const keys = Array.from({ length: 40 }, (_, index) => `order-${index}`);
        await b.store.add(keys.map((key) => b.message({ key })));
        const expected = new Set(keys.map((key) => partitionOf(key)));
        assert.deepEqual(
          await b.store.waitingPartitions(),
          [...expected].sort((x, y) => x - y),
        );
        for (let partition = 0; partition < partitionCount; partition += 1) {
          await b.store.drain(partition, 100, async (messages) => {
            for (const { key } of messages) assert.equal(partitionOf(key), partition);
          });
        }
        assert.deepEqual(await b.store.waitingPartitions(), []);
      }),
    );

    it(
      'publishes no more than the limit in one pass, oldest first, and says whether more waits',
      bench(async (b) => {
        const messages = Array.from({ length: 5 }, () => b.message());
        await b.store.add(messages);
        const partition = partitionOf('order-1');
        const passes: string[][] = [];
        const pass = () =>
          b.store.drain(partition, 2, async (batch) => void passes.push(batch.map(({ id }) => id)));
        assert.deepEqual(await pass(), { status: 'drained', published: 2, more: true });
        assert.deepEqual(await pass(), { status: 'drained', published: 2, more: true });
        assert.deepEqual(await pass(), { status: 'drained', published: 1, more: false });
        assert.deepEqual(
          passes.flat(),
          messages.map(({ id }) => id),
        );
      }),
    );

    it(
      'publishes nothing from an empty partition',
      bench(async (b) => {
        let calls = 0;
        const outcome = await b.store.drain(3, 10, async () => void (calls += 1));
        assert.deepEqual(outcome, { status: 'drained', published: 0, more: false });
        assert.equal(calls, 0);
        await b.store.add([]);
        assert.deepEqual(await b.store.status(), { waiting: 0, oldestAgeMs: null });
      }),
    );

    it(
      'keeps everything when publishing fails, and rejects with the reason',
      bench(async (b) => {
        const messages = [b.message(), b.message()];
        await b.store.add(messages);
        const reason = new Error('the broker is away');
        const failing = b.store.drain(partitionOf('order-1'), 10, () => Promise.reject(reason));
        await assert.rejects(failing, (error) => error === reason);
        assert.equal((await b.store.status()).waiting, 2);
        const published = await drainAll(b);
        assert.deepEqual(
          published.map(({ id }) => id),
          messages.map(({ id }) => id),
        );
      }),
    );

    it(
      'lets one drain at a time work on a partition, and others on the rest',
      bench(async (b) => {
        const other = Array.from({ length: 50 }, (_, index) => `order-${index}`).find(
          (key) => partitionOf(key) !== partitionOf('order-1'),
        )!;
        await b.store.add([b.message(), b.message({ key: other })]);
        const { promise: open, resolve: finish } = Promise.withResolvers<void>();
        const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
        const first = b.store.drain(partitionOf('order-1'), 10, () => {
          enter();
          return open;
        });
        await entered;
        const nothing = async (): Promise<void> => assert.fail('published by two at once');
        const second = await b.store.drain(partitionOf('order-1'), 10, nothing);
        assert.deepEqual(second, { status: 'busy' });
        const beside = await b.store.drain(partitionOf(other), 10, async () => {});
        assert.equal(beside.status, 'drained');
        finish();
        assert.deepEqual(await first, { status: 'drained', published: 1, more: false });
      }),
    );

    it(
      'takes what is added while a drain is publishing, for the next one',
      bench(async (b) => {
        const [before, during] = [b.message(), b.message()];
        await b.store.add([before]);
        await b.store.drain(partitionOf('order-1'), 10, () => b.store.add([during]));
        const rest = await drainAll(b);
        assert.deepEqual(
          rest.map(({ id }) => id),
          [during.id],
        );
      }),
    );

    it(
      'says how much waits, and for how long',
      bench(async (b) => {
        await b.store.add([b.message()]);
        await b.passTime(50);
        await b.store.add([b.message(), b.message({ key: 'order-2' })]);
        const { waiting, oldestAgeMs } = await b.store.status();
        assert.equal(waiting, 3);
        assert.ok(oldestAgeMs !== null && oldestAgeMs >= 40, `oldest is ${oldestAgeMs} ms old`);
        await drainAll(b);
        assert.deepEqual(await b.store.status(), { waiting: 0, oldestAgeMs: null });
      }),
    );

    whenSeveral(
      'publishes what commits late, after younger messages were drained',
      bench(async (b) => {
        const late = b.message({ id: 'late' });
        await b.transactions.run(async (tx) => {
          await b.store.add([late], { tx });
          await b.store.add([b.message({ key: 'order-2' })], { tx: null });
          assert.equal((await drainAll(b)).length, 1);
        });
        const published = await drainAll(b);
        assert.deepEqual(
          published.map(({ id }) => id),
          ['late'],
        );
      }),
    );

    describeTransactionChoice(
      {
        what: 'a message',
        prepare: async (b) => ({
          write: (choice) => b.store.add([b.message()], choice),
          isThere: async () => (await b.store.status()).waiting > 0,
        }),
      },
      options,
      api,
    );
  });
}

/** Drains every partition until nothing is left. @returns What was published, partition by partition. */
async function drainAll(b: StoreBench<Outbox>, limit = 100): Promise<Message[]> {
  const published: Message[] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    let outcome;
    do {
      outcome = await b.store.drain(
        partition,
        limit,
        async (batch) => void published.push(...batch),
      );
    } while (outcome.status === 'drained' && outcome.more);
  }
  return published;
}
