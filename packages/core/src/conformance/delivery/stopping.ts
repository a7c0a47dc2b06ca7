import assert from 'node:assert/strict';

import { itWhen, type TestApi } from '../test-api.ts';
import { onDeliveries, type DeliveryConformanceOptions } from './delivery-bench.ts';

/** A stop finishes what it can, and leaves the rest to others by name. */
export function describeStopping(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);
  const whenCounting = itWhen(it, options.capabilities.deliveryCounts, 'counts no deliveries');
  const whenQueue = itWhen(it, options.redrives ?? true, 'records dead letters only');

  describe('stopping', () => {
    it(
      'finishes the event under way, and leaves nothing of it for the next worker',
      bench(async (b) => {
        const { opened, open } = b.gate();
        const group = await b.group('billing');
        group.on(
          ['order.*'],
          b.handler(() => opened),
        );
        await group.start();
        const event = b.event();
        await b.publish(event);
        await b.called(1);
        let stopped = false;
        const stopping = group.stop({ deadlineMs: 60_000 }).finally(() => (stopped = true));
        await b.quiet();
        assert.equal(stopped, false, 'it waits for the handler');
        assert.equal(b.calls[0]!.context.signal.aborted, false);
        open();
        assert.deepEqual(await stopping, []);
        const next = await b.group('billing');
        next.on(['order.*'], b.handler());
        await next.start();
        const after = b.event();
        await b.publish(after);
        await b.called(2);
        await b.quiet();
        assert.deepEqual(b.idsOf(), [event.id, after.id]);
      }),
    );

    it(
      'takes nothing new while it stops',
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
        const stopping = group.stop({ deadlineMs: 60_000 });
        const late = b.event('order-2');
        await b.publish(late);
        await b.quiet();
        assert.equal(b.calls.length, 1);
        open();
        await stopping;
        const next = await b.group('billing');
        next.on(['order.*'], b.handler());
        await next.start();
        await b.called(2);
        assert.equal(b.idsOf()[1], late.id);
      }),
    );

    it(
      'names at its deadline what is unfinished, and the next worker takes it',
      bench(async (b) => {
        const { opened } = b.gate();
        const group = await b.group('billing', { timeoutMs: 3_600_000 });
        const handler = b.handler(({ context }) =>
          Promise.race([
            opened,
            new Promise<void>((_resolve, reject) => {
              context.signal.addEventListener('abort', () => reject(new Error('told to stop')));
            }),
          ]),
        );
        group.on(['order.*'], handler, { name: 'book' });
        await group.start();
        const [event, queued] = [b.event(), b.event()];
        await b.publish(event, queued);
        await b.called(1);
        await b.observed('delivered', 1);
        const stopping = group.stop({ deadlineMs: 1_000 });
        await b.clock.advance(999);
        assert.equal(b.calls[0]!.context.signal.aborted, false, 'it has until the deadline');
        await b.clock.advance(1);
        const unfinished = await stopping;
        assert.equal(b.calls[0]!.context.signal.aborted, true);
        const left = unfinished.map(({ eventId, handler: name }) => [eventId, name]);
        assert.deepEqual(left[0], [event.id, 'book']);
        assert.deepEqual(
          b.seen('left-unfinished').map(({ eventId }) => eventId),
          unfinished.map(({ eventId }) => eventId),
        );
        const next = await b.group('billing');
        next.on(['order.*'], b.handler());
        await next.start();
        const calls = await b.called(3);
        assert.deepEqual(
          b.idsOf(calls),
          [event.id, event.id, queued.id],
          'in the order of the key',
        );
        assert.deepEqual(await b.deadLetters('billing'), []);
      }),
    );

    whenCounting(
      'leaves an event with its delivery counted',
      bench(async (b) => {
        const { opened } = b.gate();
        const group = await b.group('billing', { timeoutMs: 3_600_000 });
        group.on(
          ['order.*'],
          b.handler(() => opened),
        );
        await group.start();
        await b.publish(b.event());
        await b.called(1);
        const stopping = group.stop({ deadlineMs: 1 });
        await b.clock.advance(1);
        await stopping;
        const next = await b.group('billing');
        next.on(['order.*'], b.handler());
        await next.start();
        await b.called(2);
        assert.deepEqual(
          b.calls.map(({ context }) => context.attempt),
          [
            { number: 1, delivery: 1 },
            { number: 1, delivery: 2 },
          ],
        );
      }),
    );

    it(
      'does not settle an event whose handler ends after the deadline',
      bench(async (b) => {
        const { opened, open } = b.gate();
        const group = await b.group('billing', { timeoutMs: 3_600_000 });
        group.on(
          ['order.*'],
          b.handler(() => opened),
        );
        await group.start();
        const event = b.event();
        await b.publish(event);
        await b.called(1);
        const stopping = group.stop({ deadlineMs: 1 });
        await b.clock.advance(1);
        await stopping;
        open();
        await b.quiet();
        const next = await b.group('billing');
        next.on(['order.*'], b.handler());
        await next.start();
        await b.called(2);
        assert.deepEqual(b.idsOf(), [event.id, event.id]);
      }),
    );

    whenQueue(
      'ends at its deadline although a redrive hangs',
      bench(async (b) => {
        const { opened } = b.gate();
        const group = await b.group('billing', { retry: { maxRetries: 0 }, timeoutMs: 3_600_000 });
        const handler = b.handler(({ context }) => {
          if (context.attempt.delivery === undefined && b.calls.length > 1) return opened;
          throw new Error('no');
        });
        group.on(['order.*'], handler);
        await group.start();
        await b.publish(b.event());
        await b.observed('dead-lettered', 1);
        const [row] = await b.deadLetters('billing');
        await b.deadLetterQueue.redrive(row!.id);
        await b.passTimeUntil(
          () => b.calls.length === 2,
          () => 'the redrive to begin',
        );
        let stopped = false;
        void group.stop({ deadlineMs: 1_000 }).then(() => (stopped = true));
        await b.passTimeUntil(
          () => stopped,
          () => 'the stop to end',
        );
      }),
    );
  });
}
