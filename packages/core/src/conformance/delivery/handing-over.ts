import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import type { TestApi } from '../test-api.ts';
import { onDeliveries, quickRetry, type DeliveryConformanceOptions } from './delivery-bench.ts';
import {
  eachWith,
  eventsOfOneKey,
  isCalled,
  itWhenHandingOver,
  pairsOf,
  registerInstance,
  startInstance,
  waitsFor,
} from './deploy-bench.ts';

const [placed, shipped] = [
  ['order.placed', 'book'],
  ['order.shipped', 'ship'],
] as const;

/** What was left for a handler is handled by whoever has it, like any other event, and in its order. */
export function describeHandingOver(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);
  const whenHandingOver = itWhenHandingOver(it, options);

  describe('events that were left', () => {
    whenHandingOver(
      'are handled as they were published, each once and in order, when their handler is there',
      bench(async (b) => {
        await registerInstance(b, [placed]);
        const old = await startInstance(b, [shipped]);
        const events = eventsOfOneKey(b, 10);
        await b.publish(...events);
        await waitsFor(b, { book: 10 });
        await old.group.stop();
        const young = await startInstance(b, [placed]);
        await isCalled(b, young, 10);
        await waitsFor(b, {});
        await young.group.stop();
        await startInstance(b, [placed]);
        await b.quiet();
        assert.deepEqual(
          b.calls.map(({ event }) => event),
          events,
        );
      }),
    );

    whenHandingOver(
      'come before what is delivered later of their key',
      bench(async (b) => {
        await registerInstance(b, [placed]);
        const old = await startInstance(b, [shipped]);
        const events = eventsOfOneKey(b, 20);
        await b.publish(...events.slice(0, 10));
        await waitsFor(b, { book: 10 });
        await old.group.stop();
        await b.publish(...events.slice(10));
        const young = await startInstance(b, [placed]);
        await isCalled(b, young, 20);
        await b.quiet();
        assert.deepEqual(
          b.idsOf(),
          events.map(({ id }) => id),
        );
      }),
    );

    whenHandingOver(
      'hold up no other handler of their key, and no other key',
      bench(async (b) => {
        await registerInstance(b, [placed, shipped]);
        const old = await startInstance(b, [['order.paid', 'pay']]);
        const [first, other] = [b.event(), b.event('order-2')];
        await b.publish(first, b.event('order-1', { type: 'order.shipped' }), other);
        await waitsFor(b, { book: 2, ship: 1 });
        await old.group.stop();
        // Nobody has the handler of the first event, and the others go on.
        const young = await startInstance(b, [shipped]);
        await isCalled(b, young, 1);
        await waitsFor(b, { book: 2 });
        const { opened, open } = b.gate();
        const run = ({ event }: { event: { id: string } }): Promise<void> | undefined =>
          event.id === first.id ? opened : undefined;
        const booking = await startInstance(b, [placed], { run });
        await isCalled(b, booking, 2);
        assert.deepEqual(pairsOf(booking.calls), eachWith(['book'], [first, other]));
        open();
        await waitsFor(b, {});
      }),
    );

    whenHandingOver(
      'are handled by one instance at a time for each key, and in order by all of them',
      bench(async (b) => {
        await registerInstance(b, [placed]);
        const old = await startInstance(b, [shipped]);
        // More than one instance takes at once.
        const events = eventsOfOneKey(b, 50);
        await b.publish(...events);
        await waitsFor(b, { book: 50 });
        await old.group.stop();
        const run = (): Promise<void> => systemClock.sleep(2);
        await Promise.all([1, 2].map(() => startInstance(b, [placed], { run })));
        await b.called(50);
        await b.quiet();
        assert.deepEqual(
          b.idsOf(),
          events.map(({ id }) => id),
        );
      }),
    );

    whenHandingOver(
      'are not handled once more where their delivery comes again',
      bench(async (b) => {
        await registerInstance(b, [['order.*', 'audit'], placed]);
        const { opened } = b.gate();
        const run = (): Promise<void> => opened;
        const old = await startInstance(b, [['order.*', 'audit']], { run });
        const event = b.event();
        await b.publish(event);
        await isCalled(b, old, 1);
        await waitsFor(b, { book: 1 });
        await old.group.stop({ deadlineMs: 1 });
        const young = await startInstance(b, [['order.*', 'audit'], placed]);
        await isCalled(b, young, 2);
        await b.quiet();
        assert.deepEqual(pairsOf(young.calls), [`audit ${event.id}`, `book ${event.id}`]);
        await waitsFor(b, {});
      }),
    );

    whenHandingOver(
      'are tried again and get a dead letter, as any event does',
      bench(async (b) => {
        await registerInstance(b, [placed]);
        const old = await startInstance(b, [shipped]);
        const [bad, good] = eventsOfOneKey(b, 2);
        await b.publish(bad!, good!);
        await waitsFor(b, { book: 2 });
        await old.group.stop();
        const young = await startInstance(b, [placed], {
          retry: quickRetry,
          run: ({ event }) => {
            if (event.id === bad!.id) throw new Error('no');
          },
        });
        await isCalled(b, young, 4);
        await waitsFor(b, {});
        assert.deepEqual(b.idsOf(young.calls), [bad!.id, bad!.id, bad!.id, good!.id]);
        const letters = await b.deadLetters('billing');
        assert.deepEqual(
          letters.map(({ handler, eventId, totalAttempts }) => [handler, eventId, totalAttempts]),
          [['book', bad!.id, 3]],
        );
      }),
    );

    whenHandingOver(
      'go to the next instance from one that has taken them and not finished',
      bench(async (b) => {
        await registerInstance(b, [placed]);
        const old = await startInstance(b, [shipped]);
        const events = eventsOfOneKey(b, 5);
        await b.publish(...events);
        await waitsFor(b, { book: 5 });
        await old.group.stop();
        const { opened } = b.gate();
        const run = (): Promise<void> => opened;
        const stuck = await startInstance(b, [placed], { run, redriveLeaseMs: 300 });
        await isCalled(b, stuck, 1);
        await stuck.group.stop({ deadlineMs: 1 });
        const next = await startInstance(b, [placed]);
        await isCalled(b, next, 5);
        await b.quiet();
        assert.deepEqual(
          b.idsOf(next.calls),
          events.map(({ id }) => id),
        );
      }),
    );
  });
}
