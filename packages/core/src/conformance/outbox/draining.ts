import assert from 'node:assert/strict';

import type { Message } from '../../event/message.ts';
import { partitionCount, partitionOf } from '../../partition.ts';
import type { Outbox } from '../../publish/outbox.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertSameMessage } from '../transport/assert-messages.ts';
import { awkwardHeaders } from '../transport/awkward-headers.ts';
import { acceptAll, drainAll, emptyStatus, ofOrder1, to } from './outbox-cases.ts';

/** What is added goes out once, whole and in order. */
export function describeDraining(
  options: StoreConformanceOptions<Outbox>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const whenSeveral = itWhen(
    it,
    options.capabilities.concurrentTransactions,
    'has one transaction at a time',
  );

  describe('draining', () => {
    it(
      'publishes what was added, whole and in order, and forgets it',
      bench(async (b) => {
        const messages = [
          b.message({ body: '{"text":"ü ☂"}', headers: [['note', 'ünï']] }),
          b.message({ body: Uint8Array.from({ length: 256 }, (_, index) => index) }),
          b.message({ contentType: 'application/json', type: 'order.paid' }),
        ];
        await b.store.add(messages, to);
        const published = await drainAll(b);
        assert.equal(published.length, 3);
        for (const [index, message] of published.entries()) {
          assertSameMessage(message, messages[index]!);
        }
        assert.deepEqual(await drainAll(b), []);
      }),
    );

    it(
      'keeps headers in order, with their case, repetitions and bytes, also when publishing failed before',
      bench(async (b) => {
        const sent = [b.message({ headers: awkwardHeaders }), b.message({ headers: [] })];
        await b.store.add(sent, to);
        const tried: Message[] = [];
        const away = new Error('the broker is away');
        const failing = b.store.drain(ofOrder1, (messages) => {
          tried.push(...messages);
          return Promise.reject(away);
        });
        await assert.rejects(failing, (error) => error === away);
        const published = await drainAll(b);
        assert.deepEqual([tried.length, published.length], [2, 2]);
        for (const [index, message] of sent.entries()) {
          assertSameMessage(tried[index]!, message);
          assertSameMessage(published[index]!, message);
        }
      }),
    );

    it(
      'keeps the order of every key over many calls',
      bench(async (b) => {
        const added: Message[] = [];
        for (let call = 0; call < 30; call += 1) {
          const keys = [`order-${call % 7}`, `order-${call % 3}`];
          const messages = keys.map((key) => b.message({ key }));
          await b.store.add(messages, to);
          added.push(...messages);
        }
        const published = await drainAll(b, { limit: 4 });
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
        await b.store.add(
          keys.map((key) => b.message({ key })),
          to,
        );
        const expected = new Set(keys.map((key) => partitionOf(key)));
        assert.deepEqual(
          await b.store.waitingPartitions(to.destination),
          [...expected].sort((x, y) => x - y),
        );
        for (let partition = 0; partition < partitionCount; partition += 1) {
          await b.store.drain({ ...to, partition, limit: 100 }, async (messages) => {
            for (const { key } of messages) assert.equal(partitionOf(key), partition);
            return acceptAll(messages);
          });
        }
        assert.deepEqual(await b.store.waitingPartitions(to.destination), []);
      }),
    );

    it(
      'publishes no more than the limit in one pass, oldest first, and says whether more waits',
      bench(async (b) => {
        const messages = Array.from({ length: 5 }, () => b.message());
        await b.store.add(messages, to);
        const partition = partitionOf('order-1');
        const passes: string[][] = [];
        const pass = () =>
          b.store.drain({ ...to, partition, limit: 2 }, async (batch) => {
            passes.push(batch.map(({ id }) => id));
            return acceptAll(batch);
          });
        assert.deepEqual(await pass(), {
          status: 'drained',
          published: 2,
          refused: [],
          more: true,
        });
        assert.deepEqual(await pass(), {
          status: 'drained',
          published: 2,
          refused: [],
          more: true,
        });
        assert.deepEqual(await pass(), {
          status: 'drained',
          published: 1,
          refused: [],
          more: false,
        });
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
        const outcome = await b.store.drain({ ...to, partition: 3, limit: 10 }, async () => {
          calls += 1;
          return [];
        });
        assert.deepEqual(outcome, { status: 'drained', published: 0, refused: [], more: false });
        assert.equal(calls, 0);
        await b.store.add([], to);
        assert.deepEqual(await b.store.status(), emptyStatus);
      }),
    );

    it(
      'keeps everything when publishing fails, and rejects with the reason',
      bench(async (b) => {
        const messages = [b.message(), b.message()];
        await b.store.add(messages, to);
        const reason = new Error('the broker is away');
        const failing = b.store.drain(ofOrder1, () => Promise.reject(reason));
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
        await b.store.add([b.message(), b.message({ key: other })], to);
        const { promise: open, resolve: finish } = Promise.withResolvers<void>();
        const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
        const first = b.store.drain(ofOrder1, async (batch) => {
          enter();
          await open;
          return acceptAll(batch);
        });
        await entered;
        const nothing = async (): Promise<never> => assert.fail('published by two at once');
        const second = await b.store.drain(ofOrder1, nothing);
        assert.deepEqual(second, { status: 'busy' });
        const beside = await b.store.drain(
          { ...ofOrder1, partition: partitionOf(other) },
          acceptAll,
        );
        assert.equal(beside.status, 'drained');
        finish();
        assert.deepEqual(await first, {
          status: 'drained',
          published: 1,
          refused: [],
          more: false,
        });
      }),
    );

    it(
      'takes what is added while a drain is publishing, for the next one',
      bench(async (b) => {
        const [before, during] = [b.message(), b.message()];
        await b.store.add([before], to);
        await b.store.drain(ofOrder1, async (batch) => {
          await b.store.add([during], to);
          return acceptAll(batch);
        });
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
        await b.store.add([b.message()], to);
        await b.passTime(50);
        await b.store.add([b.message(), b.message({ key: 'order-2' })], to);
        const { waiting, oldestAgeMs } = await b.store.status();
        assert.equal(waiting, 3);
        assert.ok(oldestAgeMs !== null && oldestAgeMs >= 40, `oldest is ${oldestAgeMs} ms old`);
        await drainAll(b);
        assert.deepEqual(await b.store.status(), emptyStatus);
      }),
    );

    whenSeveral(
      'publishes what commits late, after younger messages were drained',
      bench(async (b) => {
        const late = b.message({ id: 'late' });
        await b.transactions.run(async (tx) => {
          await b.store.add([late], { ...to, tx });
          await b.store.add([b.message({ key: 'order-2' })], { ...to, tx: null });
          assert.equal((await drainAll(b)).length, 1);
        });
        const published = await drainAll(b);
        assert.deepEqual(
          published.map(({ id }) => id),
          ['late'],
        );
      }),
    );
  });
}
