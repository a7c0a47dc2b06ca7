import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { onStore } from '../store/store-bench.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import type { EventStoreConformanceOptions } from './event-store-options.ts';

const isIdConflict = (error: unknown): boolean => isEventError(error, 'EVENT_ID_CONFLICT');

/** Every event is kept once, whole, and in the order of its position. */
export function describeAppending(
  options: EventStoreConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);
  const { typedAttributes } = options;

  describe('appending', () => {
    it(
      'gives each event a later position than the one before',
      bench(async (b) => {
        assert.equal(await b.store.getLatestSequence(), null);
        const positions: bigint[] = [];
        for (let number = 1; number <= 5; number += 1) {
          positions.push(await b.store.append(b.event({ subject: `order-${number}` })));
        }
        assertAscending(positions);
        assert.equal(await b.store.getLatestSequence(), positions.at(-1));
        assert.equal(await b.store.getCount(), 5);
      }),
    );

    it(
      'gives a whole envelope back, with what it does not know itself',
      bench(async (b) => {
        const event = b.event({
          dataschema: 'https://schemas.example/order/1',
          correlationId: 'req-7, not a UUID',
          causationId: 'cause-1',
          userId: 'user-ü',
          version: 3,
          time: '2026-02-03T04:05:06.789+02:00',
          traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
          tracestate: 'vendor=1',
          metadata: { retryCount: 2, environment: 'staging' },
          extensions: { shard: 7, urgent: true, region: 'eu "north"' },
        });
        await b.store.append(event);
        assert.deepEqual(await b.store.getById(event.id), event);
      }),
    );

    itWhen(
      it,
      typedAttributes !== undefined,
      'its profile has no attributes of these types',
    )(
      'keeps integers and booleans of the profile as what they are',
      bench(async (b) => {
        const { integer, boolean } = typedAttributes!;
        const integers = [0, 7, 2 ** 31 - 1, -(2 ** 31)].map((value) => ({ [integer]: value }));
        const booleans = [true, false].map((value) => ({ [boolean]: value }));
        const events = [...integers, ...booleans].map((said) => b.event(said));
        const positions = await b.store.appendBatch(events);
        for (const [index, event] of events.entries()) {
          assert.deepEqual(await b.store.getById(event.id), event);
          assert.equal(await b.store.append(structuredClone(event)), positions[index]);
        }
        assert.deepEqual(await b.store.getBySubject(events[0]!.subject!), events);
        for (const value of [1, undefined]) {
          const other = { ...events[0]!, [integer]: value };
          await assert.rejects(b.store.append(other), isIdConflict);
        }
      }),
    );

    it(
      'keeps every JSON value of the data',
      bench(async (b) => {
        const values = [
          null,
          'text',
          [],
          [[1], {}],
          { deep: { list: [null, false, ''] } },
          0.1,
          2 ** 53 - 1,
        ];
        const events = [...values, { '': 0, 'a.b': '世界 🎁', big: 1e21, small: -1e-7 }].map(
          (data) => b.event({ data }),
        );
        await b.store.appendBatch(events);
        for (const event of events) assert.deepEqual(await b.store.getById(event.id), event);
      }),
    );

    it(
      'keeps what was appended, whatever becomes of the objects',
      bench(async (b) => {
        const data = { total: 1 };
        const event = b.event({ data });
        const appending = b.store.append(event);
        data.total = 2;
        await appending;
        const read = await b.store.getById(event.id);
        (read!.data as typeof data).total = 3;
        assert.deepEqual((await b.store.getById(event.id))!.data, { total: 1 });
      }),
    );

    it(
      'answers the old position when the very same event comes again',
      bench(async (b) => {
        const event = b.event({ extensions: { b: 1, a: 2 } });
        const position = await b.store.append(event);
        await b.store.append(b.event());
        const again = { ...structuredClone(event), extensions: { a: 2, b: 1 } };
        assert.equal(await b.store.append(again), position);
        assert.equal(await b.store.getCount(), 2);
      }),
    );

    it(
      'keeps one of many concurrent appends of the same event',
      bench(async (b) => {
        const event = b.event();
        const positions = await Promise.all(
          Array.from({ length: 12 }, () => b.store.append(structuredClone(event))),
        );
        assert.equal(new Set(positions).size, 1);
        assert.equal(await b.store.getCount(), 1);
      }),
    );

    it(
      'refuses another body under a known id, and keeps the first',
      bench(async (b) => {
        const event = b.event();
        await b.store.append(event);
        await assert.rejects(b.store.append({ ...event, data: { total: 13 } }), isIdConflict);
        await assert.rejects(b.store.append({ ...event, type: 'order.paid' }), isIdConflict);
        await assert.rejects(b.store.append({ ...event, subject: 'order-2' }), isIdConflict);
        assert.deepEqual(await b.store.getById(event.id), event);
        assert.equal(await b.store.getCount(), 1);
      }),
    );

    it(
      'takes one id from two sources as two events',
      bench(async (b) => {
        const first = b.event({ data: { from: 'one' } });
        const second = { ...first, source: 'billing-service', data: { from: 'two' } };
        await b.store.append(first);
        await b.store.append(second);
        assert.deepEqual(await b.store.getById(first.id), first, 'the one that was stored first');
        assert.deepEqual(await b.store.getById(first.id, 'billing-service'), second);
        assert.equal(await b.store.getById(first.id, 'nobody'), null);
      }),
    );

    it(
      'gives concurrent appends positions of their own',
      bench(async (b) => {
        const events = Array.from({ length: 100 }, (_, index) =>
          b.event({ subject: `order-${index}` }),
        );
        const positions = await Promise.all(events.map((event) => b.store.append(event)));
        assert.equal(new Set(positions).size, 100);
        assert.equal(await b.store.getCount(), 100);
      }),
    );

    it(
      'refuses one of many concurrent appends without failing the others',
      bench(async (b) => {
        const known = b.event();
        await b.store.append(known);
        const events = Array.from({ length: 30 }, () => b.event());
        const outcomes = await Promise.allSettled(
          [...events.slice(0, 15), { ...known, data: 'other' }, ...events.slice(15)].map((event) =>
            b.store.append(event),
          ),
        );
        const refused = outcomes.filter(({ status }) => status === 'rejected');
        assert.equal(refused.length, 1);
        assert.ok(isIdConflict((refused[0] as PromiseRejectedResult).reason));
        assert.equal(await b.store.getCount(), 31);
      }),
    );
  });

  describe('appending a batch', () => {
    it(
      'answers the positions in the order given',
      bench(async (b) => {
        const events = Array.from({ length: 50 }, (_, index) => b.event({ data: { index } }));
        const positions = await b.store.appendBatch(events);
        assert.equal(positions.length, 50);
        assertAscending(positions);
        assert.deepEqual(await b.store.getBySubject('order-1'), events);
        assert.deepEqual(await b.store.appendBatch([]), []);
      }),
    );

    it(
      'answers the old position of what is known already',
      bench(async (b) => {
        const known = b.event();
        const position = await b.store.append(known);
        const twin = b.event();
        const positions = await b.store.appendBatch([
          b.event(),
          known,
          twin,
          structuredClone(twin),
        ]);
        assert.equal(positions[1], position);
        assert.equal(positions[2], positions[3]);
        assert.equal(await b.store.getCount(), 3);
      }),
    );

    it(
      'appends all or none',
      bench(async (b) => {
        const known = b.event();
        await b.store.append(known);
        const conflicting = { ...known, data: { total: 99 } };
        const batch = [b.event(), conflicting, b.event()];
        await assert.rejects(b.store.appendBatch(batch), isIdConflict);
        const twice = b.event();
        const withTwoBodies = [b.event(), twice, { ...twice, data: 'another' }];
        await assert.rejects(b.store.appendBatch(withTwoBodies), isIdConflict);
        assert.equal(await b.store.getCount(), 1);
      }),
    );
  });
}

function assertAscending(positions: readonly bigint[]): void {
  for (const [index, position] of positions.entries()) {
    assert.equal(typeof position, 'bigint');
    if (index > 0)
      assert.ok(
        position > positions[index - 1]!,
        `${position} comes after ${positions[index - 1]}`,
      );
  }
}
