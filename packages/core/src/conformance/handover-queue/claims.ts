import assert from 'node:assert/strict';

import type { HandoverQueue } from '../../transport/handover-queue.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import {
  assertLost,
  assertNothingOpen,
  claim,
  claimOne,
  idsOf,
  kindOf,
  leave,
  leaveSeveral,
  long,
} from './handovers.ts';

/** What a worker has taken is its own for as long as it says so. */
export function describeClaims(
  options: StoreConformanceOptions<HandoverQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const next = { worker: 'worker-2' };

  describe('claims', () => {
    it(
      'hold for their time',
      bench(async (b) => {
        await leave(b, 'order-1');
        const claimed = await claimOne(b, { leaseMs: 5_000 }); // time enough to look on a busy machine
        await b.passTime(500);
        assert.deepEqual(await claim(b, next), []);
        assert.deepEqual(await claim(b), [], 'nor does the same worker get it again');
        assert.equal(await b.store.settle(claimed), true);
      }),
    );

    it(
      'go to the next worker when they lapse, and are refused from the former one from then on',
      bench(async (b) => {
        await leave(b, 'order-1');
        const stale = await claimOne(b, { leaseMs: 100 });
        await b.passTime(200);
        const current = await claimOne(b, next);
        assert.equal(current.handover.id, stale.handover.id);
        assert.notEqual(current.token, stale.token);
        await assertLost(b, stale);
        assert.equal(await b.store.settle(current), true);
        await assertNothingOpen(b);
      }),
    );

    it(
      'that have lapsed end with the first of their key that another worker takes',
      bench(async (b) => {
        const rows = await leaveSeveral(b, 'order-1', 2);
        const shipped = await leave(b, 'order-1', { handler: 'ship' });
        const kinds = [kindOf(), kindOf({ handler: 'ship' })];
        const [, second, third] = await claim(b, { kinds, leaseMs: 100 });
        await b.passTime(200);
        const current = await claimOne(b, { ...next, limit: 1 });
        // Otherwise its former worker would go on with what comes after it.
        await assertLost(b, second!);
        await assertLost(b, third!);
        assert.equal(await b.store.settle(current), true);
        const rest = await claim(b, { ...next, kinds });
        assert.deepEqual(idsOf(rest), idsOf([rows[1]!, shipped]));
      }),
    );

    it(
      'hold for longer when they are renewed',
      bench(async (b) => {
        await leave(b, 'order-1');
        const claimed = await claimOne(b, { leaseMs: 1_500 }); // time enough to renew it on a busy machine
        assert.equal(await b.store.renew(claimed, long), true);
        await b.passTime(1_600);
        assert.deepEqual(await claim(b, next), []);
        assert.equal(await b.store.settle(claimed), true);
      }),
    );

    it(
      'go to the next worker at once when they are released, in their place of the order',
      bench(async (b) => {
        const rows = await leaveSeveral(b, 'order-1', 2);
        const claimed = await claimOne(b, { limit: 1 });
        assert.equal(await b.store.release(claimed), true);
        const claims = await claim(b, next);
        assert.deepEqual(idsOf(claims), idsOf(rows));
        assert.notEqual(claims[0]!.token, claimed.token);
        await assertLost(b, claimed);
        for (const each of claims) assert.equal(await b.store.settle(each), true);
      }),
    );

    it(
      'keep their key until the last of them is released',
      bench(async (b) => {
        const rows = await leaveSeveral(b, 'order-1', 2);
        const [first, second] = await claim(b);
        await b.store.release(first!);
        assert.deepEqual(await claim(b, next), []);
        await b.store.release(second!);
        assert.deepEqual(idsOf(await claim(b, next)), idsOf(rows));
      }),
    );

    it(
      'end once only',
      bench(async (b) => {
        await leaveSeveral(b, 'order-1', 2);
        const [settled, released] = await claim(b);
        assert.equal(await b.store.settle(settled!), true);
        await assertLost(b, settled!);
        assert.equal(await b.store.release(released!), true);
        await assertLost(b, released!);
        assert.deepEqual(idsOf(await claim(b)), [released!.handover.eventId]);
      }),
    );
  });
}
