import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import type { EventStore } from '../../publish/event-store.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';

const isVersionConflict = (error: unknown): boolean => isEventError(error, 'VERSION_CONFLICT');

/** An append can be held to what its caller knew. */
export function describeVersions(
  options: StoreConformanceOptions<EventStore>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('expected positions', () => {
    it(
      'takes null for a subject without events, and only then',
      bench(async (b) => {
        await b.store.append(b.event({ subject: 'order-2' }));
        await b.store.append(b.event(), { expectedPosition: null });
        await assert.rejects(
          b.store.append(b.event(), { expectedPosition: null }),
          isVersionConflict,
        );
        assert.equal((await b.store.getBySubject('order-1')).length, 1);
      }),
    );

    it(
      'takes the position of the last event of the subject, whatever other subjects did since',
      bench(async (b) => {
        const first = await b.store.append(b.event());
        await b.store.append(b.event({ subject: 'order-2' }));
        const second = await b.store.append(b.event(), { expectedPosition: first });
        assert.ok(second > first);
      }),
    );

    it(
      'refuses a subject that has moved on, and stores nothing',
      bench(async (b) => {
        const first = await b.store.append(b.event());
        const last = await b.store.append(b.event());
        const late = b.event();
        await assert.rejects(b.store.append(late, { expectedPosition: first }), isVersionConflict);
        await assert.rejects(
          b.store.append(late, { expectedPosition: last + 1n }),
          isVersionConflict,
        );
        assert.equal(await b.store.getById(late.id), null);
      }),
    );

    it(
      'lets one of many concurrent appenders with one expectation through',
      bench(async (b) => {
        const first = await b.store.append(b.event());
        const outcomes = await Promise.allSettled(
          Array.from({ length: 12 }, () => b.store.append(b.event(), { expectedPosition: first })),
        );
        const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
        assert.equal(refused.length, 11);
        for (const { reason } of refused) assert.ok(isVersionConflict(reason), String(reason));
        assert.equal((await b.store.getBySubject('order-1')).length, 2);
      }),
    );

    it(
      'answers the old position when the very same call comes again',
      bench(async (b) => {
        const event = b.event();
        const position = await b.store.append(event, { expectedPosition: null });
        await b.store.append(b.event());
        assert.equal(await b.store.append(event, { expectedPosition: null }), position);
      }),
    );
  });
}
