import assert from 'node:assert/strict';

import { isEventError } from '../errors.ts';
import type { IdempotencyStore } from '../idempotency/idempotency-store.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from './store/store-bench.ts';
import { describeTransactionChoice } from './store/transaction-choice.ts';
import type { TestApi } from './test-api.ts';

const operation = 'charge';
const long = 60_000;
/** Time enough, on a busy machine too, for one call before it is over. */
const brief = 1_500;

/**
 * The law of `IdempotencyStore`.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeIdempotencyStore(
  name: string,
  options: StoreConformanceOptions<IdempotencyStore>,
  api: TestApi,
): void {
  const { describe, it } = api;
  const bench = onStore(options);

  describe(`idempotency store ${name}`, () => {
    it(
      'gives a key to the first claim and holds it against the others',
      bench(async (b) => {
        assert.equal(await b.store.get('key'), null);
        await claim(b);
        assert.deepEqual(await tryClaim(b), { status: 'held' });
        const { key, operation: kept, status } = (await b.store.get('key'))!;
        assert.deepEqual([key, kept, status], ['key', operation, 'processing']);
      }),
    );

    it(
      'gives a key to one of many concurrent claims',
      bench(async (b) => {
        const claims = await Promise.all(Array.from({ length: 12 }, () => tryClaim(b)));
        const statuses = claims.map(({ status }) => status).sort();
        assert.deepEqual(statuses, ['claimed', ...Array<string>(11).fill('held')]);
      }),
    );

    it(
      'tells keys apart, whatever characters they have',
      bench(async (b) => {
        for (const key of [
          'key',
          'KEY',
          'key ',
          'a:b',
          "o'clock",
          '"; --',
          'ü 世界',
          'k'.repeat(255),
        ]) {
          const claimed = await b.store.claim(key, { operation, claimMs: long });
          assert.equal(claimed.status, 'claimed', key);
        }
      }),
    );

    it(
      'answers the result to every claim after the completion',
      bench(async (b) => {
        const results = [
          { charge: 'ch_1', list: [1, null, { deep: true }] },
          null,
          0,
          '',
          false,
          [],
          undefined,
        ];
        for (const [index, result] of results.entries()) {
          const key = `key-${index}`;
          const token = await claim(b, key);
          assert.equal(await b.store.complete(key, token, result, long), true);
          const again = await b.store.claim(key, { operation, claimMs: long });
          assert.equal(again.status, 'completed');
          assert.deepEqual(again.status === 'completed' && again.result, result);
          const record = (await b.store.get(key))!;
          assert.equal(record.status, 'completed');
          assert.deepEqual(record.result, result);
        }
      }),
    );

    it(
      'frees the key when its holder releases it, and remembers why',
      bench(async (b) => {
        const token = await claim(b);
        assert.equal(await b.store.release('key', token, 'card declined'), true);
        const failed = (await b.store.get('key'))!;
        assert.deepEqual([failed.status, failed.error], ['failed', 'card declined']);
        const next = await claim(b);
        assert.notEqual(next, token);
        assert.equal(await b.store.complete('key', next, 'ok', long), true);
        const { status, error } = (await b.store.get('key'))!;
        assert.deepEqual([status, error ?? undefined], ['completed', undefined]);
      }),
    );

    it(
      'gives a lapsed claim to the next caller, and refuses the former holder from then on',
      bench(async (b) => {
        const stale = await claim(b, 'key', 100);
        await b.passTime(200);
        const current = await claim(b);
        assert.equal(await b.store.renew('key', stale, long), false);
        assert.equal(await b.store.complete('key', stale, 'stale', long), false);
        assert.equal(await b.store.release('key', stale, 'stale'), false);
        assert.equal((await b.store.get('key'))!.status, 'processing');
        assert.deepEqual(await tryClaim(b), { status: 'held' });
        assert.equal(await b.store.complete('key', current, 'current', long), true);
      }),
    );

    it(
      'holds a renewed claim for longer',
      bench(async (b) => {
        const token = await claim(b, 'key', brief);
        assert.equal(await b.store.renew('key', token, long), true);
        await b.passTime(brief + 100);
        assert.deepEqual(await tryClaim(b), { status: 'held' });
        assert.equal(await b.store.complete('key', token, 1, long), true);
      }),
    );

    it(
      'refuses a token once the claim has ended, and one that nobody was given',
      bench(async (b) => {
        const token = await claim(b);
        assert.equal(await b.store.complete('key', 'not-a-token', 1, long), false);
        assert.equal(await b.store.complete('key', token, 'first', long), true);
        assert.equal(await b.store.complete('key', token, 'second', long), false);
        assert.equal(await b.store.release('key', token, 'late'), false);
        assert.equal(await b.store.renew('key', token, long), false);
        assert.equal((await b.store.get('key'))!.result, 'first');
        assert.equal(await b.store.renew('unknown', token, long), false);
      }),
    );

    it(
      'forgets a result when its time is over, whatever the time of the claim was',
      bench(async (b) => {
        const kept = await claim(b, 'kept', brief);
        await b.store.complete('kept', kept, 1, long);
        await b.store.complete('key', await claim(b), 1, brief);
        await b.passTime(brief + 100);
        assert.equal((await b.store.get('kept'))?.status, 'completed');
        assert.equal(await b.store.get('key'), null);
        assert.equal((await tryClaim(b)).status, 'claimed');
      }),
    );

    it(
      'refuses a key that belongs to another operation, in whatever state it is',
      bench(async (b) => {
        const mismatch = async (): Promise<void> => {
          const other = b.store.claim('key', { operation: 'refund', claimMs: long });
          await assert.rejects(other, (error) => isEventError(error, 'IDEMPOTENCY_MISMATCH'));
        };
        const first = await claim(b);
        await mismatch();
        await b.store.release('key', first, 'failed');
        await mismatch();
        await b.store.complete('key', await claim(b), 1, long);
        await mismatch();
      }),
    );

    describeTransactionChoice(
      {
        what: 'a claim',
        prepare: async (b) => ({
          write: (choice) => b.store.claim('key', { operation, claimMs: long, ...choice }),
          isThere: async () => (await b.store.get('key')) !== null,
        }),
      },
      options,
      api,
    );

    describeTransactionChoice(
      {
        what: 'a completion',
        prepare: async (b) => {
          const token = await claim(b);
          return {
            write: (choice) => b.store.complete('key', token, 1, long, choice),
            isThere: async () => (await b.store.get('key'))?.status === 'completed',
          };
        },
      },
      options,
      api,
    );
  });
}

function tryClaim(b: StoreBench<IdempotencyStore>): ReturnType<IdempotencyStore['claim']> {
  return b.store.claim('key', { operation, claimMs: long });
}

/** @returns The token of a claim that succeeded. */
async function claim(
  b: StoreBench<IdempotencyStore>,
  key = 'key',
  claimMs = long,
): Promise<string> {
  const claimed = await b.store.claim(key, { operation, claimMs });
  assert.equal(claimed.status, 'claimed');
  return claimed.status === 'claimed' ? claimed.token : '';
}
