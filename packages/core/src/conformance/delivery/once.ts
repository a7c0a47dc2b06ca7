import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import type { HandlerContext } from '../../consume/handler.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { onDeliveries, type DeliveryConformanceOptions } from './delivery-bench.ts';

/** With an inbox, the effect of an event is committed once, together with the memory of it. */
export function describeOnce(options: DeliveryConformanceOptions, { describe, it }: TestApi): void {
  const bench = onDeliveries(options);
  const withInbox = itWhen(it, options.inbox, 'there is no inbox');
  const retry = { maxRetries: 2, baseDelayMs: 1, jitterFactor: 0 };

  describe('the inbox', () => {
    withInbox(
      'lets a repeated event pass without another effect',
      bench(async (b) => {
        const group = await b.group('billing', { retry, clock: systemClock });
        group.on(['order.*'], b.handler(), { name: 'book', inbox: true });
        await group.start();
        const event = b.event();
        await b.publish(event);
        await b.observed('processed', 1);
        await b.publish(event);
        await b.observed('duplicate-skipped', 1);
        assert.equal(b.calls.length, 1);
        assert.deepEqual(await b.deadLetters('billing'), []);
      }),
    );

    withInbox(
      'remembers nothing of an attempt that failed',
      bench(async (b) => {
        const group = await b.group('billing', { retry, clock: systemClock });
        const handler = b.handler(({ context }) => {
          if (context.attempt.number < 3) throw new Error('not yet');
        });
        group.on(['order.*'], handler, { name: 'book', inbox: true });
        await group.start();
        await b.publish(b.event());
        await b.observed('processed', 1);
        assert.equal(b.calls.length, 3);
        assert.equal(new Set(b.calls.map(({ context }) => txOf(context))).size, 3);
        assert.deepEqual(b.seen('duplicate-skipped'), []);
      }),
    );

    withInbox(
      'keeps groups and handlers apart',
      bench(async (b) => {
        for (const name of ['billing', 'shipping']) {
          const group = await b.group(name, { retry, clock: systemClock });
          for (const handler of ['one', 'two']) {
            group.on(['order.*'], b.handler(), { name: handler, inbox: true });
          }
          await group.start();
        }
        await b.publish(b.event());
        await b.observed('processed', 4);
        assert.deepEqual(b.seen('duplicate-skipped'), []);
      }),
    );

    withInbox(
      'keeps what a handler stores together with its event, and nothing of an attempt that failed',
      bench(async (b) => {
        const group = await b.group('billing', { retry, clock: systemClock });
        const event = b.event();
        const effect = (attempt: number) => ({
          group: b.name('effects'),
          handler: 'effect',
          coordinates: { transport: 'test', stream: 'effects', position: String(attempt) },
          message: b.message(event),
          failureReason: `attempt ${attempt}`,
          failureType: 'unknown' as const,
          totalAttempts: 1,
          fingerprint: 'effect',
        });
        const handler = b.handler(async ({ context }) => {
          const { number } = context.attempt;
          await b.deadLetterSink.add(effect(number));
          if (number < 3) throw new Error('not yet');
        });
        group.on(['order.*'], handler, { name: 'book', inbox: true });
        await group.start();
        await b.publish(event, event);
        await b.observed('duplicate-skipped', 1);
        const effects = await b.deadLetters('effects');
        assert.deepEqual(
          effects.map(({ failureReason }) => failureReason),
          ['attempt 3'],
        );
      }),
    );
  });
}

function txOf({ tx }: HandlerContext): object {
  assert.ok(tx, 'a handler with an inbox is given its transaction');
  return tx;
}
