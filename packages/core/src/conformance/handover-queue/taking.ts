import assert from 'node:assert/strict';

import type { HandoverClaim, HandoverQueue } from '../../transport/handover-queue.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import { claim, claimOne, idsOf, kindOf, leave, leaveSeveral } from './handovers.ts';

/** Workers take what waits in its order, one of them at a time for each key. */
export function describeTaking(
  options: StoreConformanceOptions<HandoverQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('taking', () => {
    it(
      'gives out the oldest first, whatever its kind',
      bench(async (b) => {
        const rows = [
          await leave(b, 'order-2'),
          ...(await leaveSeveral(b, 'order-1', 12)),
          await leave(b, 'order-1', { handler: 'ship' }),
          ...(await leaveSeveral(b, 'order-1', 2)),
        ];
        const kinds = [kindOf({ handler: 'ship' }), kindOf()];
        const first = await claim(b, { kinds, limit: 11 });
        const rest = await claim(b, { kinds });
        assert.deepEqual(idsOf([...first, ...rest]), idsOf(rows));
      }),
    );

    it(
      'gives out as many as are asked for, also where a kind is named twice',
      bench(async (b) => {
        await leaveSeveral(b, 'order-1', 3);
        await leaveSeveral(b, 'order-2', 3);
        const kinds = [kindOf(), kindOf({ handler: 'ship' }), kindOf()];
        assert.equal((await claim(b, { kinds, limit: 1 })).length, 1);
        assert.equal((await claim(b, { kinds, limit: 4 })).length, 4);
        assert.equal((await claim(b, { kinds, limit: 4 })).length, 1);
        assert.deepEqual(await claim(b, { kinds, limit: 4 }), []);
      }),
    );

    it(
      'gives out only the kinds that are asked for',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        await leave(b, 'order-2', { handler: 'ship' });
        await leave(b, 'order-3', { eventType: 'order.paid' });
        await leave(b, 'order-4', { eventVersion: 2 });
        assert.deepEqual(await claim(b, { kinds: [] }), []);
        const mixed = [kindOf({ handler: 'ship', eventVersion: 2 }), kindOf()];
        assert.deepEqual(idsOf(await claim(b, { kinds: mixed })), idsOf([row]));
      }),
    );

    it(
      'is not held up by what the worker does not ask for',
      bench(async (b) => {
        await leave(b, 'order-1', { handler: 'ship' });
        await leave(b, 'order-1', { eventType: 'order.paid' });
        await leave(b, 'order-1', { eventVersion: 2 });
        const row = await leave(b, 'order-1');
        assert.deepEqual(idsOf(await claim(b)), idsOf([row]));
      }),
    );

    it(
      'gives a key to one worker at a time, who may have several of it',
      bench(async (b) => {
        const rows = await leaveSeveral(b, 'order-1', 3);
        const first = await claimOne(b, { limit: 1 });
        assert.deepEqual(await claim(b, { worker: 'worker-2' }), []);
        const second = await claimOne(b, { limit: 1 });
        assert.deepEqual(idsOf([first, second]), idsOf(rows.slice(0, 2)));
        await b.store.settle(first);
        assert.deepEqual(await claim(b, { worker: 'worker-2' }), []);
        await b.store.settle(second);
        assert.deepEqual(idsOf(await claim(b, { worker: 'worker-2' })), idsOf(rows.slice(2)));
      }),
    );

    it(
      'gives no part of a key to another worker for another handler',
      bench(async (b) => {
        await leave(b, 'order-1');
        const row = await leave(b, 'order-1', { handler: 'ship' });
        const shipping = { worker: 'worker-2', kinds: [kindOf({ handler: 'ship' })] };
        const booked = await claimOne(b);
        assert.deepEqual(await claim(b, shipping), []);
        await b.store.settle(booked);
        assert.deepEqual(idsOf(await claim(b, shipping)), idsOf([row]));
      }),
    );

    it(
      'lets keys go side by side',
      bench(async (b) => {
        await leaveSeveral(b, 'order-1', 2);
        const others = [await leave(b, 'order-2'), await leave(b, 'order-3')];
        await claimOne(b, { limit: 1 });
        assert.deepEqual(idsOf(await claim(b, { worker: 'worker-2' })), idsOf(others));
      }),
    );

    it(
      'gives each to one of many workers that ask at once, and each key to one of them',
      bench(async (b) => {
        const keys = ['order-1', 'order-2', 'order-3', 'order-4'];
        for (let round = 0; round < 5; round += 1) {
          for (const key of keys) await leave(b, key);
        }
        const workers = Array.from({ length: 6 }, (_, index) => `worker-${index}`);
        const taken = await Promise.all(
          workers.map(async (worker) => ({ worker, claims: await claim(b, { worker, limit: 3 }) })),
        );
        assertOneWorkerForEachKey(taken);
        for (const { claims } of taken) assert.ok(claims.length <= 3, 'no more than the limit');
        const ids = idsOf(taken.flatMap(({ claims }) => claims));
        assert.equal(new Set(ids).size, ids.length, 'each once');
        assert.ok(ids.length >= 3, 'the first gets what it asks for');
      }),
    );

    it(
      'keeps groups apart',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        const elsewhere = await leave(b, 'order-1', { group: 'shipping' });
        assert.deepEqual(await claim(b, { group: 'nobody' }), []);
        assert.deepEqual(idsOf(await claim(b)), idsOf([row]));
        const claims = await claim(b, { group: 'shipping', worker: 'worker-2' });
        assert.deepEqual(idsOf(claims), idsOf([elsewhere]));
        assert.equal(claims[0]!.handover.group, 'shipping');
      }),
    );
  });
}

function assertOneWorkerForEachKey(
  taken: readonly { readonly worker: string; readonly claims: readonly HandoverClaim[] }[],
): void {
  const holders = new Map<string, string>();
  for (const { worker, claims } of taken) {
    for (const { handover } of claims) {
      const { key } = handover.message;
      const holder = holders.get(key) ?? worker;
      assert.equal(worker, holder, `${worker} has one of ${key}, which ${holder} has`);
      holders.set(key, worker);
    }
  }
}
