import assert from 'node:assert/strict';

import type { DeadLetterFilter, DeadLetterQueue } from '../../consume/dead-letter-queue.ts';
import type { DeadLetter } from '../../consume/dead-letter.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import { failureOf, unreadable } from './failures.ts';

/** People find what they look for, page by page. */
export function describeListing(
  options: StoreConformanceOptions<DeadLetterQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('listing', () => {
    it(
      'filters by status, group, type and fingerprint, and by all of them together',
      bench(async (b) => {
        const add = (group: string, eventType: string, fingerprint: string): Promise<string> => {
          const event = b.event({ type: eventType });
          return b.store.add(failureOf(event, { group, fingerprint }));
        };
        const one = await add('billing', 'order.placed', 'f-1');
        const two = await add('billing', 'order.paid', 'f-2');
        const three = await add('shipping', 'order.placed', 'f-2');
        const four = await b.store.add(
          unreadable({ eventType: 'order.placed', fingerprint: 'f-3' }),
        );
        await b.store.resolve(two, { by: 'ops', notes: 'done' });
        const found = async (filter?: DeadLetterFilter): Promise<string[]> =>
          (await b.store.list(filter)).map(({ id }) => id).sort();
        assert.deepEqual(await found(), [one, two, three, four].sort());
        assert.deepEqual(await found({ group: 'billing' }), [one, two, four].sort());
        assert.deepEqual(await found({ status: 'resolved' }), [two]);
        assert.deepEqual(await found({ eventType: 'order.placed' }), [one, three, four].sort());
        assert.deepEqual(await found({ fingerprint: 'f-2' }), [two, three].sort());
        assert.deepEqual(await found({ fingerprint: 'f-2', status: 'pending' }), [three]);
        assert.deepEqual(await found({ group: 'nobody' }), []);
      }),
    );

    it(
      'pages through everything once',
      bench(async (b) => {
        const ids: string[] = [];
        for (let number = 0; number < 25; number += 1)
          ids.push(await b.store.add(failureOf(b.event())));
        const pages = await allPages(b, 10);
        assert.deepEqual(
          pages.map((page) => page.length),
          [10, 10, 5],
        );
        const listed = pages.flat().map(({ id }) => id);
        assert.deepEqual(listed.toSorted(), ids.toSorted());
      }),
    );

    it(
      'shows by its id, and once, a failure that came again',
      bench(async (b) => {
        const event = b.event();
        const id = await b.store.add(failureOf(event));
        await Promise.all([1, 2, 3].map(() => b.store.add(failureOf(event))));
        const rows = await b.store.list();
        assert.equal(rows.length, 1);
        assert.deepEqual(await b.store.get(id), rows[0]);
        assert.equal(await b.store.get('999999999'), null);
      }),
    );

    it(
      'refuses a limit outside 1 to 1,000',
      bench(async (b) => {
        for (const limit of [0, -1, 2.5, 1_001]) {
          await assert.rejects(b.store.list({ limit }), TypeError);
        }
      }),
    );
  });
}

async function allPages(b: StoreBench<DeadLetterQueue>, limit: number): Promise<DeadLetter[][]> {
  const pages: DeadLetter[][] = [];
  for (let afterId: string | undefined; pages.length < 10;) {
    const page = await b.store.list({ limit, ...(afterId === undefined ? {} : { afterId }) });
    if (page.length === 0) break;
    pages.push(page);
    afterId = page.at(-1)!.id;
  }
  return pages;
}
