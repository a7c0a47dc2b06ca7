import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import type { DeadLetter } from '../../consume/dead-letter.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { Header } from '../../event/message.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertSameMessage } from '../transport/assert-messages.ts';
import { awkwardHeaders } from '../transport/awkward-headers.ts';
import {
  onDeliveries,
  type DeliveryBench,
  type DeliveryConformanceOptions,
} from './delivery-bench.ts';

const longAgo = '2020-02-02T02:02:02.000Z';

/** What an operator wants run again reaches the one who failed, and nobody else. */
export function describeRedrives(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);
  const { redrives = true } = options;
  const whenQueue = itWhen(it, redrives, 'records dead letters only');
  const whenSinkAlone = itWhen(it, !redrives, 'runs dead letters again');

  describe('redrives', () => {
    whenSinkAlone(
      'are not missed by a group whose dead letters are recorded only',
      bench(async (b) => {
        const group = await b.group('billing', { retry: { maxRetries: 0 }, clock: systemClock });
        const [bad, good] = [b.event(), b.event()];
        const handler = b.handler(({ event }) => {
          if (event.id === bad.id) throw new Error('no');
        });
        group.on(['order.*'], handler, { name: 'book' });
        await group.start();
        await b.publish(bad, good);
        await b.observed('processed', 1);
        assert.equal((await deadLetterOf(b)).eventId, bad.id);
        await b.quiet();
        assert.deepEqual(group.health(), { status: 'ok', reasons: [] });
        assert.deepEqual(b.idsOf(), [bad.id, good.id]);
      }),
    );

    whenQueue(
      'reach the failing handler of the failing group alone, and end resolved',
      bench(async (b) => {
        const event = b.event();
        const broken = await startShop(b, event);
        const row = await deadLetterOf(b);
        b.calls.length = 0;
        broken.value = false;
        await b.deadLetterQueue.redrive(row.id);
        await b.observed('redriven', 1);
        await b.quiet();
        assert.deepEqual(
          b.calls.map(({ group, handler, event: { id } }) => [group, handler, id]),
          [[b.name('billing'), 'book', event.id]],
        );
        assert.deepEqual(b.calls[0]!.event, event);
        const after = (await b.deadLetterQueue.get(row.id))!;
        assert.deepEqual([after.status, after.totalAttempts], ['resolved', 1]);
        assert.deepEqual(
          b.seen('redriven').map(({ outcome }) => outcome),
          ['resolved'],
        );
      }),
    );

    whenQueue(
      'make one attempt, and end pending with it when that fails',
      bench(async (b) => {
        await startShop(b, b.event());
        const row = await deadLetterOf(b);
        b.calls.length = 0;
        await b.deadLetterQueue.redrive(row.id);
        await b.observed('redriven', 1);
        await b.quiet();
        assert.equal(b.calls.length, 1);
        const after = (await b.deadLetterQueue.get(row.id))!;
        assert.deepEqual([after.status, after.totalAttempts], ['pending', 2]);
        assert.equal((await b.deadLetters('billing')).length, 1);
      }),
    );

    whenQueue(
      'change nothing of the message, however often it is run again',
      bench(async (b) => {
        const metadata = { retryCount: 4, environment: 'staging' } as const;
        const event = b.event('order-1', { metadata: { ...metadata, originalTimestamp: longAgo } });
        const message = b.message(event);
        const body = Buffer.from(JSON.stringify(JSON.parse(String(message.body)), null, 3));
        const group = await b.group('billing', { retry: { maxRetries: 1 }, clock: systemClock });
        const handler = b.handler((call) => {
          // What a handler does to its event is its own affair.
          const failing = b.calls.length < 5;
          if (failing) call.event.metadata!.retryCount += 1;
          if (failing) throw new Error('no');
        });
        const noted = noting(handler);
        group.on(['order.*'], noted.handler, { name: 'book', retry: { baseDelayMs: 1 } });
        await group.start();
        await b.publishMessages([{ ...message, body }]);
        await b.observed('dead-lettered', 1);
        for (let run = 1; run <= 3; run += 1) {
          const { id } = await deadLetterOf(b);
          await b.deadLetterQueue.redrive(id);
          await b.observed('redriven', run);
          assertSameMessage((await b.deadLetterQueue.get(id))!.message, { ...message, body });
        }
        assert.deepEqual(
          noted.events,
          Array.from({ length: 5 }, () => event),
        );
      }),
    );

    whenQueue(
      'wait their turn in the lane of their key',
      bench(async (b) => {
        const event = b.event();
        const broken = await startShop(b, event);
        const row = await deadLetterOf(b);
        broken.value = false;
        const { opened, open } = b.gate();
        const slow = b.event('order-1', { data: 'slow' });
        broken.hold = opened;
        await b.publish(slow);
        const runsOf = (id: string): number =>
          b.calls.filter(
            (call) =>
              call.group === b.name('billing') && call.handler === 'book' && call.event.id === id,
          ).length;
        await b.until(
          () => runsOf(slow.id) === 1,
          () => 'the event that holds the key',
        );
        await b.deadLetterQueue.redrive(row.id);
        await b.until(
          async () => (await b.deadLetterQueue.get(row.id))!.status === 'processing',
          () => 'the request to be stored',
        );
        await b.quiet();
        assert.equal(runsOf(event.id), 1, 'its key is busy');
        open();
        await b.observed('redriven', 1);
        assert.equal(runsOf(event.id), 2);
        assert.equal((await b.deadLetterQueue.get(row.id))!.status, 'resolved');
      }),
    );

    whenQueue(
      'read again what was received, and refuse again what was refused for its headers',
      bench(async (b) => {
        await startShop(b, b.event());
        const event = b.event();
        const headers: Header[] = [...awkwardHeaders, ['ce-id', event.id], ['CE-Id', 'another']];
        const refused = { ...b.message(event), id: `message of ${event.id}`, headers };
        await b.publishMessages([refused]);
        // One in each group.
        await b.observed('dead-lettered', 3);
        const row = (await b.deadLetters('billing')).find(({ handler }) => handler === '')!;
        assertSameMessage(row.message, refused);
        assert.deepEqual([row.errorCode, row.eventId], ['ENVELOPE_CONFLICT', refused.id]);
        await b.deadLetterQueue.redrive(row.id);
        await b.observed('redriven', 1);
        const after = (await b.deadLetterQueue.get(row.id))!;
        assert.deepEqual(
          [after.status, after.errorCode, after.totalAttempts],
          ['pending', 'ENVELOPE_CONFLICT', 2],
        );
        assert.equal(b.calls.filter((call) => call.event.id === event.id).length, 0);
      }),
    );

    whenQueue(
      'run again what could not be read once it can be',
      bench(async (b) => {
        await startShop(b, b.event());
        const event = b.event();
        const readable = b.message(event);
        const id = await b.deadLetterQueue.add({
          group: b.name('billing'),
          handler: '',
          coordinates: { transport: 'test', stream: 'orders', position: '1' },
          message: readable,
          failureReason: 'an older version could not read it',
          failureType: 'permanent',
          totalAttempts: 1,
          fingerprint: 'f-1',
        });
        await b.deadLetterQueue.redrive(id);
        await b.observed('redriven', 1);
        const handlers = b.calls.filter((call) => call.event.id === event.id);
        assert.deepEqual(handlers.map(({ handler }) => handler).sort(), ['audit', 'book']);
        assert.equal((await b.deadLetterQueue.get(id))!.status, 'resolved');
      }),
    );
  });
}

/** Notes each event as it reaches a handler. */
function noting(handler: ReturnType<DeliveryBench['handler']>): {
  events: EventEnvelope[];
  handler: typeof handler;
} {
  const events: EventEnvelope[] = [];
  return {
    events,
    handler: (event, context) => {
      events.push(structuredClone(event));
      return handler(event, context);
    },
  };
}

/** Two groups, one of them with two handlers; `book` in `billing` fails while it is broken. */
async function startShop(
  b: DeliveryBench,
  event: EventEnvelope,
): Promise<{ value: boolean; hold?: Promise<void> }> {
  const broken: { value: boolean; hold?: Promise<void> } = { value: true };
  for (const name of ['billing', 'shipping']) {
    const group = await b.group(name, { retry: { maxRetries: 0 }, clock: systemClock });
    const book = b.handler(async (call) => {
      if (name !== 'billing') return;
      if (broken.value && call.event.id === event.id) throw new Error('no');
      if (call.event.data === 'slow') await broken.hold;
    });
    group.on(['order.*'], book, { name: 'book' });
    group.on(['order.*'], b.handler(), { name: 'audit' });
    await group.start();
  }
  await b.publish(event);
  await b.observed('processed', 3);
  await b.observed('dead-lettered', 1);
  return broken;
}

async function deadLetterOf(b: DeliveryBench): Promise<DeadLetter> {
  const rows = await b.deadLetters('billing');
  assert.equal(rows.length, 1);
  return rows[0]!;
}
