import assert from 'node:assert/strict';

import type { EventEnvelope } from '../../event/envelope.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { onStore, type StoreBench } from '../store/store-bench.ts';
import type { EventStore } from '../../publish/event-store.ts';
import type { EventStoreConformanceOptions } from './event-store-options.ts';

const idsOf = (events: readonly EventEnvelope[]): string[] => events.map(({ id }) => id);

/** What was appended is found by everything that it can be asked for. */
export function describeQueries(
  options: EventStoreConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const { attribute, typedAttributes } = options;

  describe('queries', () => {
    it(
      'finds nothing in an empty store',
      bench(async (b) => {
        assert.equal(await b.store.getById('unknown'), null);
        assert.deepEqual(await b.store.getBySubject('unknown'), []);
        assert.deepEqual(await b.store.getByCorrelationId('unknown'), []);
        assert.deepEqual(await b.store.getByTimeRange({ startTime: new Date(0) }), []);
        assert.equal(await b.store.getCount(), 0);
        assert.equal(await b.store.getLatestSequence(), null);
      }),
    );

    it(
      'finds by subject, oldest first unless asked otherwise',
      bench(async (b) => {
        const { mine } = await appendTwoSubjects(b);
        assert.deepEqual(await b.store.getBySubject('order-1'), mine);
        const newest = await b.store.getBySubject('order-1', { order: 'desc', limit: 2 });
        assert.deepEqual(newest, mine.toReversed().slice(0, 2));
      }),
    );

    it(
      'pages by position, in either order',
      bench(async (b) => {
        const { mine, positions } = await appendTwoSubjects(b);
        const first = await b.store.getBySubject('order-1', { limit: 2 });
        const rest = await b.store.getBySubject('order-1', { afterPosition: positions[1]! });
        assert.deepEqual(idsOf([...first, ...rest]), idsOf(mine));
        const older = await b.store.getBySubject('order-1', {
          order: 'desc',
          afterPosition: positions[1]!,
        });
        assert.deepEqual(idsOf(older), idsOf(mine.slice(0, 1)));
      }),
    );

    it(
      'narrows every query to a type',
      bench(async (b) => {
        const common = { correlationId: 'c-1', time: '2026-03-01T00:00:00.000Z' };
        const placed = b.event({ ...common });
        const paid = b.event({ ...common, type: 'order.paid' });
        await b.store.appendBatch([placed, paid]);
        const eventType = 'order.paid';
        assert.deepEqual(await b.store.getBySubject('order-1', { eventType }), [paid]);
        assert.deepEqual(await b.store.getByCorrelationId('c-1', { eventType }), [paid]);
        const startTime = new Date(0);
        assert.deepEqual(await b.store.getByTimeRange({ startTime, eventType }), [paid]);
        assert.equal(await b.store.getCount(eventType), 1);
        assert.equal(await b.store.getCount('order.lost'), 0);
      }),
    );

    it(
      'finds a business transaction by its correlation, over all subjects',
      bench(async (b) => {
        const events = ['a', 'b', 'c'].map((subject) => b.event({ subject, correlationId: 'c-1' }));
        await b.store.appendBatch([
          events[0]!,
          b.event({ correlationId: 'c-2' }),
          events[1]!,
          b.event(),
        ]);
        await b.store.append(events[2]!);
        assert.deepEqual(await b.store.getByCorrelationId('c-1'), events);
      }),
    );

    it(
      'takes a time range from its start up to, not including, its end',
      bench(async (b) => {
        const times = ['2026-01-01T00:00:00Z', '2026-01-02T01:00:00+01:00', '2026-01-03T00:00:00Z'];
        const events = times.map((time) => b.event({ time }));
        await b.store.appendBatch(events);
        const startTime = new Date('2026-01-01T00:00:00Z');
        const endTime = new Date('2026-01-03T00:00:00Z');
        const found = await b.store.getByTimeRange({ startTime, endTime });
        assert.deepEqual(found, events.slice(0, 2));
        const later = new Date('2026-01-02T00:00:00Z');
        assert.deepEqual(await b.store.getByTimeRange({ startTime: later, endTime, limit: 1 }), [
          events[1],
        ]);
      }),
    );

    it(
      'ends a time range now when no end is given',
      bench(async (b) => {
        const past = b.event({ time: '2020-01-01T00:00:00Z' });
        await b.store.appendBatch([past, b.event({ time: '2999-01-01T00:00:00Z' })]);
        assert.deepEqual(await b.store.getByTimeRange({ startTime: new Date(0) }), [past]);
      }),
    );

    itWhen(
      it,
      attribute !== undefined,
      'its profile has no attributes',
    )(
      'finds by an attribute of the profile, and refuses one that there is not',
      bench(async (b) => {
        const { name, value, other } = attribute!;
        const wanted = b.event({ [name]: value });
        await b.store.appendBatch([b.event({ [name]: other }), wanted, b.event()]);
        assert.deepEqual(await b.store.getByAttribute(name, value), [wanted]);
        assert.deepEqual(await b.store.getByAttribute(name, `not ${value}`), []);
        await assert.rejects(b.store.getByAttribute('no_such_attribute', value), TypeError);
      }),
    );

    itWhen(
      it,
      typedAttributes !== undefined,
      'its profile has no attributes of these types',
    )(
      'finds by integers and booleans, and refuses what is none',
      bench(async (b) => {
        const { integer, boolean } = typedAttributes!;
        const events = [0, 7, -7].map((value) => b.event({ [integer]: value }));
        const flagged = [false, true].map((value) => b.event({ [boolean]: value }));
        await b.store.appendBatch([...events, ...flagged, b.event()]);
        assert.deepEqual(await b.store.getByAttribute(integer, 0), [events[0]]);
        assert.deepEqual(await b.store.getByAttribute(integer, -7), [events[2]]);
        assert.deepEqual(await b.store.getByAttribute(integer, 8), []);
        assert.deepEqual(await b.store.getByAttribute(boolean, false), [flagged[0]]);
        assert.deepEqual(await b.store.getByAttribute(boolean, true), [flagged[1]]);
        await assert.rejects(b.store.getByAttribute(integer, '7'), TypeError);
        await assert.rejects(b.store.getByAttribute(boolean, 1), TypeError);
      }),
    );

    it(
      'refuses a limit outside 1 to 10,000',
      bench(async (b) => {
        for (const limit of [0, -1, 1.5, 10_001, Number.NaN]) {
          await assert.rejects(b.store.getBySubject('order-1', { limit }), TypeError);
          await assert.rejects(b.store.readFrom(null, { limit }), TypeError);
        }
      }),
    );
  });
}

/** Four events of `order-1` among others of `order-2`. */
async function appendTwoSubjects(
  b: StoreBench<EventStore>,
): Promise<{ mine: EventEnvelope[]; positions: bigint[] }> {
  const mine = Array.from({ length: 4 }, (_, index) => b.event({ data: { index } }));
  const positions: bigint[] = [];
  for (const event of mine) {
    positions.push(await b.store.append(event));
    await b.store.append(b.event({ subject: 'order-2' }));
  }
  return { mine, positions };
}
