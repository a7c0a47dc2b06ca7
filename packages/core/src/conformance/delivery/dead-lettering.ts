import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import type { DeadLetterSink } from '../../consume/dead-letter-sink.ts';
import { changed } from '../faults/changed.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertSameMessage } from '../transport/assert-messages.ts';
import { awkwardHeaders } from '../transport/awkward-headers.ts';
import { onDeliveries, quickRetry, type DeliveryConformanceOptions } from './delivery-bench.ts';
import { crashWith, handleUnsettled, startFailing } from './failing-group.ts';

/** What cannot be handled is recorded before it is settled, for its own group and handler alone. */
export function describeDeadLettering(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);
  const { deliveryCounts } = options.capabilities;

  describe('dead letters', () => {
    it(
      'records an event after its last attempt, and goes on with its key',
      bench(async (b) => {
        const [bad, good] = [b.event(), b.event()];
        const group = await startFailing(b, 'billing', bad.id);
        await b.publish(bad, good);
        await b.observed('processed', 1);
        const rows = await b.deadLetters('billing');
        assert.equal(rows.length, 1);
        const { event, handler, status, totalAttempts, failureReason, errorCode } = rows[0]!;
        assert.deepEqual(event, bad);
        assertSameMessage(rows[0]!.message, b.message(bad));
        assert.deepEqual(
          { handler, status, totalAttempts, failureReason, errorCode },
          {
            handler: 'book',
            status: 'pending',
            totalAttempts: 3,
            failureReason: 'cannot be booked',
            errorCode: 'E_BOOK',
          },
        );
        assert.deepEqual(b.idsOf(), [bad.id, bad.id, bad.id, good.id]);
        await group.stop();
        await startFailing(b, 'billing', bad.id);
        await b.quiet();
        assert.equal(b.calls.length, 4, 'it is not delivered again');
      }),
    );

    it(
      'does not let one failing group reach another',
      bench(async (b) => {
        const [bad, good] = [b.event(), b.event()];
        const billing = await startFailing(b, 'billing', bad.id);
        await startFailing(b, 'shipping', 'nothing');
        await b.publish(bad, good);
        await b.observed('processed', 3);
        await billing.stop();
        await startFailing(b, 'billing', 'nothing');
        await b.quiet();
        const shipping = b.calls.filter(({ group }) => group === b.name('shipping'));
        assert.deepEqual(b.idsOf(shipping), [bad.id, good.id]);
        assert.equal((await b.deadLetters('billing')).length, 1);
        assert.deepEqual(await b.deadLetters('shipping'), []);
      }),
    );

    it(
      'does not let one failing handler reach another of its group',
      bench(async (b) => {
        const event = b.event();
        const group = await b.group('billing', { retry: quickRetry, clock: systemClock });
        for (const name of ['first', 'failing', 'last']) {
          const handler = b.handler(() => {
            if (name === 'failing') throw new Error('no');
          });
          group.on(['order.*'], handler, { name });
        }
        await group.start();
        await b.publish(event);
        await b.observed('processed', 2);
        await b.observed('dead-lettered', 1);
        const calls = (name: string): number =>
          b.calls.filter(({ handler }) => handler === name).length;
        assert.deepEqual([calls('first'), calls('failing'), calls('last')], [1, 3, 1]);
        const rows = await b.deadLetters('billing');
        assert.deepEqual(
          rows.map(({ handler }) => handler),
          ['failing'],
        );
      }),
    );

    it(
      'records at once what no retry can help',
      bench(async (b) => {
        const group = await b.group('billing', { retry: quickRetry, clock: systemClock });
        const fatal = Object.assign(new Error('closed for good'), { code: 'E_CLOSED' });
        group.on(
          ['order.*'],
          b.handler(() => {
            throw fatal;
          }),
          { name: 'book', retry: { nonRetryableErrors: ['E_CLOSED'] } },
        );
        await group.start();
        await b.publish(b.event());
        await b.observed('dead-lettered', 1);
        assert.equal(b.calls.length, 1);
        assert.equal((await b.deadLetters('billing'))[0]!.totalAttempts, 1);
      }),
    );

    it(
      'records a message that cannot be read, byte for byte, and goes on with its key',
      bench(async (b) => {
        await startFailing(b, 'billing', 'nothing');
        const good = b.event();
        const broken = {
          ...b.message(b.event()),
          id: 'broken',
          body: Uint8Array.of(123, 255, 0, 10, 34),
          headers: awkwardHeaders,
        };
        await b.publishMessages([broken, b.message(good)]);
        await b.observed('processed', 1);
        assert.deepEqual(b.idsOf(), [good.id]);
        const [row, ...more] = await b.deadLetters('billing');
        assert.deepEqual(more, []);
        assertSameMessage(row!.message, broken);
        assert.deepEqual(
          [row!.handler, row!.event, row!.eventId, row!.errorCode, row!.status],
          ['', undefined, 'broken', 'MESSAGE_UNPARSEABLE', 'pending'],
        );
        assert.equal(row!.coordinates.transport, (await b.open()).name);
      }),
    );

    it(
      'settles a type that no handler wants, without a dead letter',
      bench(async (b) => {
        const group = await startFailing(b, 'billing', 'nothing');
        await b.publish(b.event('order-1', { type: 'invoice.sent' }), b.event());
        await b.observed('processed', 1);
        await group.stop();
        await startFailing(b, 'billing', 'nothing');
        await b.quiet();
        assert.equal(b.calls.length, 1);
        assert.deepEqual(await b.deadLetters('billing'), []);
      }),
    );

    it(
      'settles a repeated delivery of what has a dead letter already',
      bench(async (b) => {
        const bad = b.event();
        await crashWith(b, bad.id, async () => b.publish(bad));
        const { source, id } = bad;
        await b.deadLetterSink.add({
          group: b.name('billing'),
          handler: 'book',
          coordinates: { transport: 'test', stream: 'orders', position: '1' },
          event: bad,
          eventId: id,
          eventType: bad.type,
          message: b.message(bad),
          failureReason: 'crashed between the row and the acknowledgement',
          failureType: 'unknown',
          totalAttempts: 3,
          fingerprint: 'f-1',
        });
        await startFailing(b, 'billing', 'nothing');
        const good = b.event();
        await b.publish(good);
        await b.observed('processed', 1);
        assert.deepEqual(b.idsOf(), [good.id]);
        const key = { group: b.name('billing'), handler: 'book', source, eventId: id };
        const [row] = await b.deadLetterSink.find([key]);
        assert.equal(row!.totalAttempts, 3);
      }),
    );

    itWhen(
      it,
      deliveryCounts,
      'counts no deliveries',
    )(
      'records an event that was delivered too often without an end, and does not run it again',
      bench(async (b) => {
        const deadly = b.event();
        await crashWith(b, deadly.id, () => b.publish(deadly));
        await crashWith(b, deadly.id, async () => {});
        const group = await b.group('billing', { maxDeliveries: 2, clock: systemClock });
        group.on(['order.*'], b.handler(), { name: 'book' });
        await group.start();
        const good = b.event();
        await b.publish(good);
        await b.observed('processed', 1);
        assert.deepEqual(b.idsOf(), [good.id]);
        const [row] = await b.deadLetters('billing');
        assert.deepEqual(
          [row!.eventId, row!.errorCode, row!.totalAttempts],
          [deadly.id, 'DELIVERIES_EXCEEDED', 3],
        );
      }),
    );

    itWhen(
      it,
      deliveryCounts && options.inbox,
      deliveryCounts ? 'there is no inbox' : 'counts no deliveries',
    )(
      'settles an event that was delivered too often and whose effect is there already',
      bench(async (b) => {
        const event = b.event();
        await handleUnsettled(b, event.id, b.event().id);
        await crashWith(b, event.id, () => b.publish(event));
        await crashWith(b, event.id, async () => {});
        const group = await b.group('billing', { maxDeliveries: 2, clock: systemClock });
        group.on(['order.*'], b.handler(), { name: 'book', inbox: true });
        await group.start();
        const good = b.event();
        await b.publish(good);
        await b.observed('processed', 1);
        assert.deepEqual(b.idsOf(), [good.id]);
        assert.deepEqual(await b.deadLetters('billing'), []);
        assert.equal(b.seen('duplicate-skipped')[0]!.eventId, event.id);
      }),
    );

    it(
      'holds a key until its dead letter is stored, and lets other keys flow',
      bench(async (b) => {
        let away = true;
        const deadLetters: DeadLetterSink = changed(b.deadLetterSink, {
          add: (...failure) =>
            away ? Promise.reject(new Error('away')) : b.deadLetterSink.add(...failure),
        });
        const [bad, behind, other] = [b.event('bad'), b.event('bad'), b.event('other')];
        const group = await startFailing(b, 'billing', bad.id, { deadLetters });
        await b.publish(bad, behind, other);
        await b.observed('dead-letter-failed', 2);
        await b.observed('processed', 1);
        assert.equal(b.seen('processed')[0]!.eventId, other.id);
        assert.equal(group.health().status, 'degraded');
        away = false;
        await b.observed('processed', 2);
        assert.equal((await b.deadLetters('billing')).length, 1);
        assert.equal(group.health().status, 'ok');
      }),
    );
  });
}
