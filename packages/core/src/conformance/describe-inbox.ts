import assert from 'node:assert/strict';

import { isEventError } from '../errors.ts';
import type { Inbox, InboxKey } from '../consume/inbox.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from './store/store-bench.ts';
import { itWhen, type TestApi } from './test-api.ts';

const key: InboxKey = { group: 'billing', handler: 'book', source: 'order-service', id: 'e-1' };

/** The same handler under a name that it did not always have. */
const renamed: InboxKey = { ...key, formerly: ['before'] };

/**
 * The law of `Inbox`.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeInbox(
  name: string,
  options: StoreConformanceOptions<Inbox>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const { concurrentTransactions } = options.capabilities;
  const whenSeveral = itWhen(it, concurrentTransactions, 'has one transaction at a time');

  describe(`inbox ${name}`, () => {
    it(
      'records a handling once',
      bench(async (b) => {
        assert.equal(await record(b, key), true);
        assert.equal(await record(b, key), false);
        assert.equal(await record(b, { ...key }), false);
      }),
    );

    it(
      'records a handling once within one transaction too',
      bench(async (b) => {
        const answers = await b.transactions.run(async (tx) => [
          await b.store.record(key, tx),
          await b.store.record(key, tx),
        ]);
        assert.deepEqual(answers, [true, false]);
      }),
    );

    it(
      'forgets what was rolled back',
      bench(async (b) => {
        await b.rolledBack((tx) => b.store.record(key, tx));
        assert.equal(await record(b, key), true);
      }),
    );

    it(
      'tells group, handler, source and id apart, whatever characters they have',
      bench(async (b) => {
        const keys: InboxKey[] = [
          key,
          { ...key, group: 'shipping' },
          { ...key, handler: 'ship' },
          { ...key, source: 'shop' },
          { ...key, id: 'e-2' },
          { group: 'a', handler: 'b:c', source: 'd', id: 'e' },
          { group: 'a:b', handler: 'c', source: 'd', id: 'e' },
          { group: 'a', handler: 'b', source: 'c|d', id: 'e' },
          { group: 'a', handler: 'b', source: 'c', id: 'd|e' },
          { group: 'A', handler: 'b', source: 'c', id: 'd|e' },
          { group: 'ü "quoted"', handler: '', source: "o'clock", id: '世界' },
        ];
        for (const each of keys) assert.equal(await record(b, each), true, JSON.stringify(each));
        for (const each of keys) assert.equal(await record(b, each), false, JSON.stringify(each));
      }),
    );

    it(
      'lets one of many concurrent recordings through',
      bench(async (b) => {
        const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => record(b, key)));
        const kept = outcomes.filter(({ status }) => status === 'fulfilled');
        const first = kept.filter((outcome) => outcome.status === 'fulfilled' && outcome.value);
        assert.equal(first.length, 1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') assert.ok(isEventError(outcome.reason, 'CLAIM_HELD'));
        }
      }),
    );

    whenSeveral(
      'says that another open transaction is recording the key',
      bench(async (b) => {
        await b.transactions.run(async (tx) => {
          await b.store.record(key, tx);
          await assert.rejects(
            b.transactions.run((second) => b.store.record(key, second), { lockTimeoutMs: 50 }),
            (error) => isEventError(error, 'CLAIM_HELD') && error.retryable,
          );
        });
        assert.equal(await record(b, key), false);
      }),
    );

    it(
      'knows what was handled under a former name',
      bench(async (b) => {
        await record(b, { ...key, handler: 'before' });
        assert.equal(await record(b, { ...renamed, formerly: ['first', 'before'] }), false);
        assert.equal(await record(b, { ...renamed, id: 'e-2' }), true);
      }),
    );

    it(
      'lets those know who still use a former name, until it is rolled back',
      bench(async (b) => {
        await b.rolledBack((tx) => b.store.record(renamed, tx));
        assert.equal(await record(b, { ...key, handler: 'before' }), true);
        assert.equal(await record(b, { ...renamed, id: 'e-2' }), true);
        assert.equal(await record(b, { ...key, handler: 'before', id: 'e-2' }), false);
        assert.equal(await record(b, { ...key, id: 'e-2' }), false);
        assert.equal(await record(b, { ...key, handler: 'another', id: 'e-2' }), true);
      }),
    );

    it(
      'knows all names of a handling that it knew by one of them',
      bench(async (b) => {
        await record(b, { ...key, handler: 'before' });
        await record(b, { ...renamed, formerly: ['before', 'first'] });
        for (const handler of [key.handler, 'first', 'before']) {
          assert.equal(await record(b, { ...key, handler }), false, handler);
        }
      }),
    );

    whenSeveral(
      'says that another open transaction is recording the key under another of its names',
      bench(async (b) => {
        for (const [open, asked] of [
          [{ ...key, handler: 'before' }, renamed],
          [
            { ...renamed, id: 'e-2' },
            { ...key, handler: 'before', id: 'e-2' },
          ],
        ] as const) {
          await b.transactions.run(async (tx) => {
            await b.store.record(open, tx);
            await assert.rejects(
              b.transactions.run((second) => b.store.record(asked, second)),
              (error) => isEventError(error, 'CLAIM_HELD'),
            );
          });
          assert.equal(await record(b, asked), false);
        }
      }),
    );

    it(
      'refuses a transaction that has ended, or that is none of its own',
      bench(async (b) => {
        let ended: object | undefined;
        await b.transactions.run(async (tx) => void (ended = tx));
        await assert.rejects(b.store.record(key, ended!), (error) =>
          isEventError(error, 'TX_FINISHED'),
        );
        await assert.rejects(b.store.record(key, {}), (error) => isEventError(error, 'TX_FOREIGN'));
        assert.equal(await record(b, key), true);
      }),
    );

    it(
      'forgets what is older than it is told, and nothing younger',
      bench(async (b) => {
        await record(b, key);
        await b.passTime(2_000);
        await record(b, { ...key, id: 'e-2' });
        assert.equal(await b.store.prune(60_000), 0);
        assert.equal(await b.store.prune(1_500), 1);
        assert.equal(await record(b, key), true);
        assert.equal(await record(b, { ...key, id: 'e-2' }), false);
      }),
    );
  });
}

/** Records a key in a transaction of its own. */
function record(b: StoreBench<Inbox>, recorded: InboxKey): Promise<boolean> {
  return b.transactions.run((tx) => b.store.record(recorded, tx));
}
