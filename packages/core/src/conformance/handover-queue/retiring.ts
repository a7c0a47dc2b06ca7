import assert from 'node:assert/strict';

import type { HandoverQueue } from '../../transport/handover-queue.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import {
  answerTo,
  assertLost,
  assertNothingOpen,
  claim,
  claimOne,
  idsOf,
  kindOf,
  leave,
  leaveSeveral,
  questionAbout,
  questionBehind,
  retirement,
} from './handovers.ts';

/** Operators give up handlers that do not come back, and only those. */
export function describeRetiring(
  options: StoreConformanceOptions<HandoverQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('retiring', () => {
    it(
      'ends what waits for the handler, and says how much that was',
      bench(async (b) => {
        const [row] = await leaveSeveral(b, 'order-1', 2);
        await leave(b, 'order-2', { eventType: 'order.paid' });
        assert.equal(await b.store.retire('billing', 'book', retirement), 3);
        await assertNothingOpen(b);
        assert.equal(await answerTo(b, questionAbout(row!)), 'known');
        assert.equal(await answerTo(b, questionBehind(row!)), 'none');
        assert.equal(await b.store.retire('billing', 'book', retirement), 0);
      }),
    );

    it(
      'leaves other handlers and other groups alone',
      bench(async (b) => {
        const shipped = await leave(b, 'order-1', { handler: 'ship' });
        const elsewhere = await leave(b, 'order-1', { group: 'shipping' });
        assert.equal(await b.store.retire('billing', 'book', retirement), 0);
        assert.equal(await b.store.retire('shipping', 'ship', retirement), 0);
        const kinds = [kindOf({ handler: 'ship' })];
        assert.deepEqual(idsOf(await claim(b, { kinds })), idsOf([shipped]));
        const later = await leave(b, 'order-1', { group: 'shipping' });
        assert.deepEqual(idsOf(await claim(b, { group: 'shipping' })), idsOf([elsewhere, later]));
      }),
    );

    it(
      'ends claims that are under way',
      bench(async (b) => {
        await leave(b, 'order-1');
        const claimed = await claimOne(b);
        assert.equal(await b.store.retire('billing', 'book', retirement), 1);
        await assertLost(b, claimed);
        const shipped = await leave(b, 'order-1', { handler: 'ship' });
        const other = { worker: 'worker-2', kinds: [kindOf({ handler: 'ship' })] };
        assert.deepEqual(idsOf(await claim(b, other)), idsOf([shipped]), 'its key is free');
      }),
    );

    it(
      'leaves what is done as it is',
      bench(async (b) => {
        await leaveSeveral(b, 'order-1', 2);
        await b.store.settle(await claimOne(b, { limit: 1 }));
        assert.equal(await b.store.retire('billing', 'book', retirement), 1);
      }),
    );

    it(
      'skips what is added for the handler later',
      bench(async (b) => {
        await b.store.retire('billing', 'book', retirement);
        const row = await leave(b, 'order-1');
        await assertNothingOpen(b);
        assert.equal(await answerTo(b, questionAbout(row)), 'known');
        assert.equal(await answerTo(b, questionBehind(row)), 'none');
        await b.passTime(200);
        assert.equal(await b.store.prune(100), 1, 'it has ended');
      }),
    );

    it(
      'takes in new ones when the handler is back, and leaves skipped what was',
      bench(async (b) => {
        const before = await leave(b, 'order-1');
        await b.store.retire('billing', 'book', retirement);
        await b.store.retire('billing', 'ship', retirement);
        const between = await leave(b, 'order-1');
        await b.store.reinstate('billing', ['note', 'book']);
        await b.store.add([before, between]);
        await leave(b, 'order-1', { handler: 'ship' });
        await assertNothingOpen(b);
        const row = await leave(b, 'order-1');
        assert.deepEqual(idsOf(await claim(b)), idsOf([row]));
      }),
    );

    it(
      'takes back a retirement in its group alone',
      bench(async (b) => {
        await b.store.retire('billing', 'book', retirement);
        await b.store.reinstate('shipping', ['book']);
        await b.store.reinstate('billing', []);
        await leave(b, 'order-1');
        await assertNothingOpen(b);
      }),
    );

    it(
      'is refused where nobody, or no reason, is named',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        for (const nameless of [{ by: '' }, { reason: ' ' }]) {
          const given = { ...retirement, ...nameless };
          await assert.rejects(
            async () => await b.store.retire('billing', 'book', given),
            TypeError,
          );
        }
        assert.deepEqual(idsOf(await claim(b)), idsOf([row]));
      }),
    );
  });
}
