import assert from 'node:assert/strict';

import type { HandoverQueue } from '../../transport/handover-queue.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import {
  answerTo,
  claim,
  claimOne,
  kindOf,
  leave,
  leaveSeveral,
  questionAbout,
  retirement,
  type HandoverBench,
} from './handovers.ts';

/** People see what waits, and what has ended is forgotten in its time. */
export function describeCounting(
  options: StoreConformanceOptions<HandoverQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('counting', () => {
    it(
      'tells what waits by handler, type and version, the oldest first',
      bench(async (b) => {
        const rows = [
          { handler: 'ship', derived: true },
          { eventType: 'order.paid' },
          { eventVersion: 2 },
          {},
        ];
        for (const given of rows) {
          await leave(b, 'order-1', given);
          await b.passTime(20);
        }
        await leaveSeveral(b, 'order-2', 2);
        await leave(b, 'order-1', { handler: 'ship', derived: true });
        await leave(b, 'order-1', { group: 'shipping' });
        const open = await b.store.open('billing');
        assert.deepEqual(
          open.map(({ oldest: _oldest, ...kind }) => kind),
          [
            { ...kindOf({ handler: 'ship' }), derived: true, count: 2 },
            { ...kindOf({ eventType: 'order.paid' }), derived: false, count: 1 },
            { ...kindOf({ eventVersion: 2 }), derived: false, count: 1 },
            { ...kindOf(), derived: false, count: 3 },
          ],
        );
        const [shipped] = await claim(b, { kinds: [kindOf({ handler: 'ship' })], limit: 1 });
        assert.deepEqual(open[0]!.oldest, shipped!.handover.enteredAt);
      }),
    );

    it(
      'counts what somebody has taken, and nothing that has ended',
      bench(async (b) => {
        await leaveSeveral(b, 'order-1', 2);
        const [first, second] = await claim(b);
        assert.equal(await countOf(b), 2);
        await b.store.settle(first!);
        assert.equal(await countOf(b), 1);
        const [open] = await b.store.open('billing');
        assert.deepEqual(open!.oldest, second!.handover.enteredAt);
        await b.store.settle(second!);
        assert.deepEqual(await b.store.open('billing'), []);
      }),
    );

    it(
      'forgets what ended longer ago than it is told, and nothing that waits',
      bench(async (b) => {
        const skipped = await leave(b, 'order-1', { handler: 'ship' });
        await b.store.retire('billing', 'ship', retirement);
        const done = await leave(b, 'order-1');
        await b.store.settle(await claimOne(b));
        const waiting = await leave(b, 'order-2');
        await b.passTime(2_000);
        const claimed = await claimOne(b);
        const late = await leave(b, 'order-3');
        await b.store.settle(await claimOne(b));
        assert.equal(await b.store.prune(60_000), 0);
        assert.equal(await b.store.prune(1_500), 2);
        for (const [row, answer] of [
          [skipped, 'none'],
          [done, 'none'],
          [waiting, 'known'],
          [late, 'known'],
        ] as const) {
          assert.equal(await answerTo(b, questionAbout(row)), answer);
        }
        assert.equal(await b.store.settle(claimed), true);
        await b.store.add([done]);
        assert.equal(await countOf(b), 1);
      }),
    );
  });
}

/** How many wait for the handler `book`. */
async function countOf(b: HandoverBench): Promise<number | undefined> {
  const open = await b.store.open('billing');
  return open.find(({ handler }) => handler === 'book')?.count;
}
