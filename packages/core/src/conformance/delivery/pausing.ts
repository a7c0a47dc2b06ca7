import assert from 'node:assert/strict';

import type { TestApi } from '../test-api.ts';
import { onDeliveries, type DeliveryConformanceOptions } from './delivery-bench.ts';

/** A pause lets what was taken end and takes nothing more. */
export function describePausing(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);

  describe('pausing', () => {
    it(
      'takes nothing while a group is paused, and everything once when it is resumed',
      bench(async (b) => {
        const group = await b.group('billing');
        group.on(['order.*'], b.handler());
        await group.start();
        const [before, ...meanwhile] = [b.event(), b.event(), b.event('order-2')];
        await b.publish(before);
        await b.called(1);
        group.pause();
        await b.publish(...meanwhile);
        await b.quiet();
        assert.deepEqual(b.idsOf(), [before.id]);
        assert.equal(group.health().status, 'ok', 'a pause is no trouble');
        group.resume();
        await b.called(3);
        await b.quiet();
        const ids = [before, ...meanwhile].map(({ id }) => id);
        assert.deepEqual(b.idsOf().toSorted(), ids.toSorted());
      }),
    );

    it(
      'lets what is under way end while a group is paused, and nothing of it come again',
      bench(async (b) => {
        const { opened, open } = b.gate();
        const group = await b.group('billing');
        group.on(
          ['order.*'],
          b.handler(() => opened),
        );
        await group.start();
        await b.publish(b.event());
        await b.called(1);
        group.pause();
        await b.quiet();
        assert.equal(b.calls[0]!.context.signal.aborted, false, 'it may go on');
        open();
        await b.observed('processed', 1);
        group.resume();
        await b.quiet();
        assert.equal(b.calls.length, 1);
      }),
    );

    it(
      'takes nothing before it is resumed where a group was paused before its start',
      bench(async (b) => {
        const group = await b.group('billing');
        group.on(['order.*'], b.handler());
        group.pause();
        await group.start();
        const event = b.event();
        await b.publish(event);
        await b.quiet();
        assert.deepEqual(b.idsOf(), []);
        group.resume();
        await b.called(1);
        await b.quiet();
        assert.deepEqual(b.idsOf(), [event.id]);
      }),
    );
  });
}
