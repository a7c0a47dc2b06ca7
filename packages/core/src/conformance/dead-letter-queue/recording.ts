import assert from 'node:assert/strict';

import type { DeadLetterQueue } from '../../consume/dead-letter-queue.ts';
import type { Message } from '../../event/message.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import { assertSameMessage } from '../transport/assert-messages.ts';
import { awkwardHeaders } from '../transport/awkward-headers.ts';
import { brokenMessage, failureOf, place, unreadable } from './failures.ts';

/** Messages that say other things of themselves than their event does, one after the other. */
const awkwardMessages: readonly Message[] = [
  { ...brokenMessage, headers: awkwardHeaders },
  { id: '', type: '', key: 'a\0b', contentType: 'text/plain; of="ü"\u0007', body: '\0 \uFEFF' },
  { ...brokenMessage, id: 'another \0', type: '\uFEFFt', body: Buffer.from('text as bytes') },
  {
    id: 'message-3',
    type: 'order.paid',
    key: 'order-7',
    contentType: '',
    body: new Uint8Array(0),
    headers: awkwardHeaders.toReversed(),
  },
];

/** A failure is kept once, whole, however often it comes. */
export function describeRecording(
  options: StoreConformanceOptions<DeadLetterQueue>,
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
        const { message, enteredAt, ...rest } = (await b.store.get(id))!;
        const { message: received, ...expected } = failure;
        assertSameMessage(message, received);
        assert.ok(enteredAt instanceof Date);
        assert.partialDeepStrictEqual(rest, { ...expected, id, status: 'pending' });
        assert.equal(await b.store.get('999999999'), null);
      }),
    );

    it(
      'gives back the message as it was received, whoever looks, and the last one where it came again',
      bench(async (b) => {
        const event = b.event();
        const key = { group: 'billing', handler: 'book', source: event.source, eventId: event.id };
        for (const message of awkwardMessages) {
          const id = await b.store.add(failureOf(event, { message }));
          await b.store.add(unreadable({ message }));
          assertSameMessage((await b.store.get(id))!.message, message);
          assertSameMessage((await b.store.find(key))!.message, message);
          const lost = await b.store.findUnreadable('billing', place('1'));
          assertSameMessage(lost!.message, message);
          for (const each of await b.store.list()) assertSameMessage(each.message, message);
        }
        for (const { id } of await b.store.list()) await b.store.redrive(id);
        const claims = await b.store.claim('billing', { limit: 2, leaseMs: 60_000, worker: 'w' });
        assert.equal(claims.length, 2);
        for (const { deadLetter } of claims) {
          assertSameMessage(deadLetter.message, awkwardMessages.at(-1)!);
        }
      }),
    );

    it(
      'finds a failure by its handling, and by nothing less',
      bench(async (b) => {
        const event = b.event();
        const id = await b.store.add(failureOf(event));
        const key = { group: 'billing', handler: 'book', source: event.source, eventId: event.id };
        assert.equal((await b.store.find(key))?.id, id);
        assert.equal(await b.store.find({ ...key, group: 'shipping' }), null);
        assert.equal(await b.store.find({ ...key, handler: 'ship' }), null);
        assert.equal(await b.store.find({ ...key, source: 'shop' }), null);
        assert.equal(await b.store.find({ ...key, eventId: 'other' }), null);
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
        assert.equal((await b.store.list()).length, 1);
        const row = (await b.store.get(id))!;
        assert.equal(row.totalAttempts, 7);
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
        assert.equal((await b.store.get(ids[0]!))!.totalAttempts, 6);
        assert.equal((await b.store.list()).length, 1);
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
        const id = await b.store.add(unreadable({ message }));
        const row = (await b.store.get(id))!;
        assertSameMessage(row.message, message);
        assert.equal(row.event, undefined);
        assert.deepEqual(row.coordinates, place('1'));
        assert.equal((await b.store.findUnreadable('billing', place('1')))?.id, id);
        assert.equal(await b.store.findUnreadable('shipping', place('1')), null);
        assert.equal(await b.store.findUnreadable('billing', place('2')), null);
        assert.equal(
          await b.store.findUnreadable('billing', { ...place('1'), partition: 9 }),
          null,
        );
      }),
    );

    it(
      'keeps one row for an unreadable message that comes again',
      bench(async (b) => {
        const id = await b.store.add(unreadable({ totalAttempts: 1 }));
        assert.equal(await b.store.add(unreadable({ totalAttempts: 2 })), id);
        const elsewhere = await b.store.add(unreadable({ coordinates: place('2') }));
        assert.notEqual(elsewhere, id);
        assert.equal((await b.store.get(id))!.totalAttempts, 3);
      }),
    );

    it(
      'keeps what is known of an event that could not be decoded, also where no partition is',
      bench(async (b) => {
        const coordinates = { transport: 'memory', stream: 'memory', position: '17' };
        const id = await b.store.add(
          unreadable({ eventId: 'not a UUID', eventType: 'order.placed', coordinates }),
        );
        const row = (await b.store.findUnreadable('billing', coordinates))!;
        assert.equal(row.id, id);
        assert.deepEqual([row.eventId, row.eventType], ['not a UUID', 'order.placed']);
      }),
    );

    it(
      'opens a row again when the failure comes back after somebody had ended it',
      bench(async (b) => {
        const event = b.event();
        const id = await b.store.add(failureOf(event));
        await b.store.resolve(id, { by: 'ops', notes: 'fixed' });
        assert.equal(await b.store.add(failureOf(event)), id);
        assert.equal((await b.store.get(id))!.status, 'pending');
      }),
    );
  });
}
