import assert from 'node:assert/strict';

import type { DeadLetterSink } from '../../consume/dead-letter-sink.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import { assertSameMessage } from '../transport/assert-messages.ts';
import {
  awkwardMessages,
  brokenMessage,
  failureOf,
  findOne,
  keyOf,
  place,
  unreadable,
} from './failures.ts';

/** A failure is kept once, whole, however often it comes. */
export function describeRecording(
  options: StoreConformanceOptions<DeadLetterSink>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('recording', () => {
    it(
      'gives back what was recorded',
      bench(async (b) => {
        const event = b.event({ correlationId: 'c-1', extensions: { shard: 7 } });
        const failure = failureOf(event, {
          failureReason: 'the handler said "no" — ☂',
          failureType: 'transient',
          errorCode: 'E_NO',
          errorStack: 'Error: no\n    at handle (file.ts:1:2)',
          totalAttempts: 4,
        });
        const id = await b.store.add(failure);
        const { message, enteredAt, ...rest } = (await findOne(b.store, keyOf(failure)))!;
        const { message: received, ...expected } = failure;
        assertSameMessage(message, received);
        assert.ok(enteredAt instanceof Date);
        assert.partialDeepStrictEqual(rest, { ...expected, id, status: 'pending' });
      }),
    );

    it(
      'gives back the message as it was received, and the last one where it came again',
      bench(async (b) => {
        const event = b.event();
        for (const message of awkwardMessages) {
          const failures = [failureOf(event, { message }), unreadable({ message })];
          for (const failure of failures) await b.store.add(failure);
          const found = await b.store.find(failures.map(keyOf));
          assert.equal(found.length, 2);
          for (const each of found) assertSameMessage(each!.message, message);
        }
      }),
    );

    it(
      'keeps one row for a failure that comes again: attempts are added up, the reason is the last',
      bench(async (b) => {
        const event = b.event();
        const first = failureOf(event, {
          totalAttempts: 4,
          failureReason: 'first',
          errorCode: 'ONE',
        });
        const second = failureOf(event, {
          totalAttempts: 3,
          failureReason: 'second',
          failureType: 'permanent',
          fingerprint: 'f-2',
          coordinates: place('2'),
        });
        const id = await b.store.add(first);
        assert.equal(await b.store.add(second), id);
        const row = (await findOne(b.store, keyOf(first)))!;
        assert.deepEqual([row.id, row.totalAttempts], [id, 7]);
        assert.deepEqual(
          [row.failureReason, row.failureType, row.fingerprint, row.errorCode],
          ['second', 'permanent', 'f-2', undefined],
        );
      }),
    );

    it(
      'keeps one row for a failure that three workers record at once',
      bench(async (b) => {
        const event = b.event();
        const ids = await Promise.all(
          [1, 2, 3].map((totalAttempts) => b.store.add(failureOf(event, { totalAttempts }))),
        );
        assert.equal(new Set(ids).size, 1);
        assert.equal((await findOne(b.store, keyOf(failureOf(event))))!.totalAttempts, 6);
      }),
    );

    it(
      'keeps a row of its own for each group, handler and source',
      bench(async (b) => {
        const event = b.event();
        const ids = [
          await b.store.add(failureOf(event)),
          await b.store.add(failureOf(event, { group: 'shipping' })),
          await b.store.add(failureOf(event, { handler: 'ship' })),
          await b.store.add(failureOf({ ...event, source: 'shop' })),
        ];
        assert.equal(new Set(ids).size, 4);
      }),
    );

    it(
      'keeps what cannot be read, byte for byte',
      bench(async (b) => {
        const body = Uint8Array.of(0, 255, 0xc3, 0x28, 10, 34);
        const message = { ...brokenMessage, body, contentType: 'application/octet-stream' };
        const failure = unreadable({ message });
        const id = await b.store.add(failure);
        const row = (await findOne(b.store, keyOf(failure)))!;
        assert.equal(row.id, id);
        assertSameMessage(row.message, message);
        assert.equal(row.event, undefined);
        assert.deepEqual(row.coordinates, place('1'));
      }),
    );

    it(
      'keeps one row for an unreadable message that comes again',
      bench(async (b) => {
        const id = await b.store.add(unreadable({ totalAttempts: 1 }));
        assert.equal(await b.store.add(unreadable({ totalAttempts: 2 })), id);
        const elsewhere = await b.store.add(unreadable({ coordinates: place('2') }));
        assert.notEqual(elsewhere, id);
        assert.equal((await findOne(b.store, keyOf(unreadable())))!.totalAttempts, 3);
      }),
    );

    it(
      'keeps what is known of an event that could not be decoded, also where no partition is',
      bench(async (b) => {
        const coordinates = { transport: 'memory', stream: 'memory', position: '17' };
        const id = await b.store.add(
          unreadable({ eventId: 'not a UUID', eventType: 'order.placed', coordinates }),
        );
        const row = (await findOne(b.store, { group: 'billing', coordinates }))!;
        assert.equal(row.id, id);
        assert.deepEqual([row.eventId, row.eventType], ['not a UUID', 'order.placed']);
      }),
    );
  });
}
