import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { Catalogue } from '../../event/catalogue.ts';
import { defineEvent } from '../../event/event-definition.ts';
import type { TestApi } from '../test-api.ts';
import { onDeliveries, type DeliveryConformanceOptions } from './delivery-bench.ts';
import {
  allSettled,
  eachWith,
  eventsOfOneKey,
  isCalled,
  itWhenHandingOver,
  pairsOf,
  queueOf,
  registerInstance,
  startInstance,
  waitsFor,
} from './deploy-bench.ts';

/** During a deploy each event reaches every handler that some version of the service has, and each once. */
export function describeDeploys(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);
  const whenHandingOver = itWhenHandingOver(it, options);

  describe('deploys', () => {
    whenHandingOver(
      'let events reach the handler that one instance alone has, whichever takes the delivery',
      bench(async (b) => {
        const old = await startInstance(b, [['order.shipped', 'ship']]);
        const young = await startInstance(b, [
          ['order.shipped', 'ship'],
          ['order.placed', 'book'],
        ]);
        const placed = eventsOfOneKey(b, 20);
        const shipped = Array.from({ length: 20 }, (_, key) =>
          b.event(`order-${key}`, { type: 'order.shipped' }),
        );
        await b.publish(...placed, ...shipped);
        await b.called(40);
        await b.quiet();
        assert.deepEqual(pairsOf(b.calls), [
          ...eachWith(['book'], placed),
          ...eachWith(['ship'], shipped),
        ]);
        assert.equal(pairsOf(old.calls).filter((each) => each.startsWith('book')).length, 0);
        assert.equal(young.group.health().status, 'ok');
        assert.deepEqual(await b.deadLetters('billing'), []);
        await waitsFor(b, {});
      }),
    );

    whenHandingOver(
      'let events reach a handler that is registered while they are under way',
      bench(async (b) => {
        const { opened, open } = b.gate();
        const old = await startInstance(b, [['order.*', 'audit']], { run: () => opened });
        const event = b.event();
        await b.publish(event);
        await isCalled(b, old, 1);
        const young = await startInstance(b, [
          ['order.*', 'audit'],
          ['order.placed', 'book'],
        ]);
        open();
        await isCalled(b, young, 1);
        await b.quiet();
        assert.deepEqual(pairsOf(b.calls), [`audit ${event.id}`, `book ${event.id}`]);
        assert.deepEqual(pairsOf(young.calls), [`book ${event.id}`]);
      }),
    );

    whenHandingOver(
      'leave an event only for the handlers that the instance which takes it lacks',
      bench(async (b) => {
        await registerInstance(b, [
          ['order.*', 'audit'],
          ['order.placed', 'book'],
        ]);
        const old = await startInstance(b, [['order.*', 'audit']]);
        const events = eventsOfOneKey(b, 5);
        await b.publish(...events);
        await waitsFor(b, { book: 5 });
        await isCalled(b, old, 5);
        assert.deepEqual(pairsOf(old.calls), eachWith(['audit'], events));
        await old.group.stop();
        const young = await startInstance(b, [['order.placed', 'book']]);
        await isCalled(b, young, 5);
        await b.quiet();
        assert.deepEqual(pairsOf(young.calls), eachWith(['book'], events));
        await waitsFor(b, {});
      }),
    );

    whenHandingOver(
      'take a handler with another name for another handler',
      bench(async (b) => {
        await startInstance(b, [['order.placed', 'bill']]);
        await startInstance(b, [['order.placed', 'book']]);
        const events = eventsOfOneKey(b, 5);
        await b.publish(...events);
        await b.called(10);
        await b.quiet();
        assert.deepEqual(pairsOf(b.calls), eachWith(['bill', 'book'], events));
      }),
    );

    whenHandingOver(
      'count handlers without a name, whatever patterns they have',
      bench(async (b) => {
        await registerInstance(b, [['order.placed']]);
        const old = await startInstance(b, [['order.*']]);
        const [alone, second] = [b.event(), b.event()];
        await b.publish(alone);
        await isCalled(b, old, 1);
        // What is still unsettled is for the next one's handlers as well.
        await allSettled(b);
        await waitsFor(b, {});
        const young = await startInstance(b, [['order.*'], ['order.placed']]);
        await b.publish(second);
        await b.called(3);
        await b.quiet();
        assert.deepEqual(b.idsOf().toSorted(), [alone.id, second.id, second.id].toSorted());
        assert.ok(young.calls.length > 0, 'the second one is called in the instance that has two');
      }),
    );

    whenHandingOver(
      'let an event of a newer version wait for the instance that knows it',
      bench(async (b) => {
        const versions = [catalogueOf(1), catalogueOf(2)] as const;
        await registerInstance(b, [['order.placed', 'book']], { catalogue: versions[1] });
        const old = await startInstance(b, [['order.placed', 'book']], { catalogue: versions[0] });
        const [known, newer] = [b.event(), b.event('order-1', { version: 2 })];
        await b.publish(known, newer);
        await waitsFor(b, { book: 1 });
        await isCalled(b, old, 1);
        await b.quiet();
        assert.deepEqual(pairsOf(old.calls), [`book ${known.id}`]);
        await old.group.stop();
        const young = await startInstance(b, [['order.placed', 'book']], {
          catalogue: versions[1],
        });
        await isCalled(b, young, 1);
        await b.quiet();
        assert.deepEqual(pairsOf(young.calls), [`book ${newer.id}`]);
        assert.deepEqual(await b.deadLetters('billing'), [], 'too new is no failure');
      }),
    );

    whenHandingOver(
      'settle at once what no instance has ever had a handler for',
      bench(async (b) => {
        await startInstance(b, [['order.shipped', 'ship']]);
        const { group } = await startInstance(b, [['order.placed', 'book']]);
        await b.publish(...eventsOfOneKey(b, 10, { type: 'order.lost' }));
        await b.observed('unhandled-type', 10);
        await b.quiet();
        assert.deepEqual(b.seen('handed-over'), []);
        await waitsFor(b, {});
        assert.deepEqual(group.health(), { status: 'ok', reasons: [] });
      }),
    );

    whenHandingOver(
      'end as skipped what waits for a handler that is retired, until it is registered again',
      bench(async (b) => {
        await registerInstance(b, [['order.placed', 'book']]);
        const old = await startInstance(b, [['order.shipped', 'ship']]);
        await b.publish(...eventsOfOneKey(b, 10));
        await waitsFor(b, { book: 10 });
        const retirement = { handler: 'book', by: 'ann', reason: 'rolled back' };
        assert.equal(await old.group.retire(retirement), 10);
        await waitsFor(b, {});
        const marker = b.event('order-1', { type: 'order.shipped' });
        await b.publish(...eventsOfOneKey(b, 10), marker);
        await isCalled(b, old, 1);
        await b.quiet();
        await waitsFor(b, {});
        await old.group.stop();
        await registerInstance(b, [['order.placed', 'book']]);
        const again = await startInstance(b, [['order.shipped', 'ship']]);
        const after = b.event();
        await b.publish(after);
        await waitsFor(b, { book: 1 });
        await again.group.stop();
        const young = await startInstance(b, [['order.placed', 'book']]);
        await isCalled(b, young, 1);
        await b.quiet();
        assert.deepEqual(pairsOf(young.calls), [`book ${after.id}`]);
      }),
    );

    whenHandingOver(
      'give two services of one group name all events each, or refuse the second by name',
      bench(async (b) => {
        const isShared = (await (await queueOf(b)).identity()) !== null;
        await startInstance(b, [['order.placed', 'book']], { service: 'biller' });
        const starting = startInstance(b, [['order.placed', 'book']], { service: 'shipper' });
        if (!isShared) {
          await assert.rejects(starting, (error) => isEventError(error, 'GROUP_TAKEN'));
        } else await starting;
        const events = eventsOfOneKey(b, 5);
        await b.publish(...events);
        const handlers = isShared ? ['book', 'shipper/book'] : ['book'];
        await b.called(5 * handlers.length);
        await b.quiet();
        assert.deepEqual(pairsOf(b.calls), eachWith(handlers, events));
      }),
    );
  });
}

/** A catalogue that knows `order.placed` up to a version. */
function catalogueOf(version: 1 | 2): Catalogue {
  const schema = {
    '~standard': {
      version: 1,
      vendor: 'conformance',
      validate: (value: unknown) => ({ value }),
    },
  } as const;
  const type = 'order.placed';
  const given = { type, schema, description: 'An order was placed.', owner: 'orders' };
  return new Catalogue([
    version === 1
      ? defineEvent(given)
      : defineEvent({ ...given, version, upcasters: { 1: (data: unknown) => data } }),
  ]);
}
