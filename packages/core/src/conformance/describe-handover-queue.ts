import assert from 'node:assert/strict';

import type { HandoverQueue } from '../transport/handover-queue.ts';
import { describeClaims } from './handover-queue/claims.ts';
import { describeCounting } from './handover-queue/counting.ts';
import {
  answerTo,
  claim,
  claimOne,
  handoverOf,
  leave,
  questionAbout,
} from './handover-queue/handovers.ts';
import { describeKeeping } from './handover-queue/keeping.ts';
import { describeLooking } from './handover-queue/looking.ts';
import { describeRetiring } from './handover-queue/retiring.ts';
import { describeTaking } from './handover-queue/taking.ts';
import { onStore, type StoreConformanceOptions } from './store/store-bench.ts';
import { describeTransactionChoice } from './store/transaction-choice.ts';
import { itWhen, type TestApi } from './test-api.ts';

/**
 * The law of `HandoverQueue`.
 *
 * @param name Of the adapter, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeHandoverQueue(
  name: string,
  options: StoreConformanceOptions<HandoverQueue>,
  api: TestApi,
): void {
  api.describe(`handover queue ${name}`, () => {
    describeKeeping(options, api);
    describeLooking(options, api);
    describeTaking(options, api);
    describeClaims(options, api);
    describeCounting(options, api);
    describeRetiring(options, api);
    describePlace(options, api);
    describeTransactionChoice(
      {
        what: 'a handover',
        prepare: async (b) => {
          const row = handoverOf(b.event());
          return {
            write: (choice) => b.store.add([row], choice),
            isThere: async () => (await answerTo(b, questionAbout(row))) === 'known',
          };
        },
      },
      options,
      api,
    );
  });
}

/** Services find out whether they have their handovers in common. */
function describePlace(
  options: StoreConformanceOptions<HandoverQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const whenReopened = itWhen(it, options.reopens ?? false, 'cannot be opened twice');

  describe('the place', () => {
    it(
      'has one name, which no other place has, or none',
      bench(async (b) => {
        const identity = await b.store.identity();
        assert.equal(await b.store.identity(), identity);
        const other = await b.another();
        if (identity !== null) assert.notEqual(await other.identity(), identity);
        const row = await leave(b, 'order-1');
        const [answer] = await other.look([questionAbout(row)]);
        assert.equal(answer, 'none', 'what is elsewhere is not here');
      }),
    );

    whenReopened(
      'has the same name for every instance, and they share what is in it',
      bench(async (b) => {
        const store = await b.reopen();
        assert.equal(await store.identity(), await b.store.identity());
        const row = await leave(b, 'order-1');
        const claimed = await claimOne(b);
        assert.deepEqual(await claim({ store }, { worker: 'worker-2' }), []);
        assert.deepEqual(await store.look([questionAbout(row)]), ['known']);
        assert.equal(await store.settle(claimed), true);
        assert.equal(await b.store.settle(claimed), false);
      }),
    );
  });
}
