import assert from 'node:assert/strict';

import type { TestApi } from '../test-api.ts';
import { onDeliveries, type DeliveryConformanceOptions } from './delivery-bench.ts';

const retry = {
  maxRetries: 3,
  baseDelayMs: 1_000,
  backoffMultiplier: 2,
  maxDelayMs: 3_000,
  jitterFactor: 0,
};

/** A handler that fails is tried again, later and later, and only so often. */
export function describeRetries(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);
  const firstDelivery = options.capabilities.deliveryCounts ? 1 : undefined;

  describe('retries', () => {
    it(
      'numbers the attempts, and names the delivery beside them',
      bench(async (b) => {
        const group = await b.group('billing', { retry: { ...retry, baseDelayMs: 0 } });
        group.on(
          ['order.*'],
          b.handler(({ context }) => {
            if (context.attempt.number < 4) throw new Error('not yet');
          }),
        );
        await group.start();
        await b.publish(b.event());
        await b.passTimeUntil(
          () => b.calls.length === 4,
          () => `four attempts; ${b.calls.length} came`,
        );
        assert.deepEqual(
          b.calls.map(({ context }) => context.attempt),
          [1, 2, 3, 4].map((number) => ({ number, delivery: firstDelivery })),
        );
        await b.observed('processed', 1);
        assert.deepEqual(await b.deadLetters('billing'), []);
      }),
    );

    it(
      'waits longer before each attempt, up to a limit, and says how long',
      bench(async (b) => {
        const group = await b.group('billing', { retry, redrivePollMs: 3_600_000 });
        group.on(
          ['order.*'],
          b.handler(() => {
            throw new Error('no');
          }),
        );
        await group.start();
        await b.publish(b.event());
        for (const [index, delayMs] of [1_000, 2_000, 3_000].entries()) {
          await b.observed('attempt-failed', index + 1);
          await b.clock.advance(delayMs - 1);
          assert.equal(b.calls.length, index + 1, 'not a millisecond too early');
          await b.clock.advance(1);
          await b.called(index + 2);
        }
        await b.observed('dead-lettered', 1);
        assert.deepEqual(
          b.seen('attempt-failed').map(({ attempt, willRetryInMs }) => [attempt, willRetryInMs]),
          [
            [1, 1_000],
            [2, 2_000],
            [3, 3_000],
            [4, null],
          ],
        );
      }),
    );

    it(
      'scatters the waits, so that many failures do not come back at once',
      bench(async (b) => {
        const randoms = [0, 0.75];
        const group = await b.group('billing', {
          retry: { ...retry, maxRetries: 2, jitterFactor: 0.5 },
          random: () => randoms.shift() ?? 0.5,
        });
        group.on(
          ['order.*'],
          b.handler(() => {
            throw new Error('no');
          }),
        );
        await group.start();
        await b.publish(b.event());
        await b.passTimeUntil(
          () => b.seen('dead-lettered').length === 1,
          () => 'a dead letter',
        );
        assert.deepEqual(
          b.seen('attempt-failed').map(({ willRetryInMs }) => willRetryInMs),
          [500, 2_500, null],
        );
      }),
    );

    it(
      'keeps the order of a key while its event is retried, and lets other keys flow',
      bench(async (b) => {
        const group = await b.group('billing', { retry, redrivePollMs: 3_600_000 });
        const failing = b.event('slow');
        group.on(
          ['order.*'],
          b.handler(({ event, context }) => {
            if (event.id === failing.id && context.attempt.number < 4) throw new Error('not yet');
          }),
        );
        await group.start();
        const behind = [b.event('slow'), b.event('slow')];
        const others = Array.from({ length: 20 }, (_, index) => b.event(`quick-${index % 4}`));
        await b.publish(failing, behind[0]!, ...others, behind[1]!);
        await b.observed('processed', others.length);
        assert.equal(b.seen('attempt-failed').length, 1, 'others did not wait for the retries');
        for (const delayMs of [1_000, 2_000, 3_000]) {
          const failures = b.seen('attempt-failed').length;
          const early = b.idsOf().filter((id) => behind.some((event) => event.id === id));
          assert.deepEqual(early, [], 'its key waits');
          await b.clock.advance(delayMs);
          if (delayMs < 3_000) await b.observed('attempt-failed', failures + 1);
        }
        await b.observed('processed', others.length + 3);
        const ofKey = b.idsOf(b.calls.filter(({ event }) => event.subject === failing.subject));
        assert.deepEqual(ofKey, [
          ...Array.from({ length: 4 }, () => failing.id),
          ...behind.map(({ id }) => id),
        ]);
      }),
    );

    it(
      'does not begin an attempt while one that timed out still runs',
      bench(async (b) => {
        const { opened, open } = b.gate();
        const group = await b.group('billing', { retry: { ...retry, baseDelayMs: 0 } });
        let running = 0;
        let most = 0;
        group.on(
          ['order.*'],
          b.handler(async ({ context }) => {
            running += 1;
            most = Math.max(most, running);
            if (context.attempt.number === 1) await opened;
            running -= 1;
          }),
          { timeoutMs: 500, inbox: options.inbox },
        );
        await group.start();
        await b.publish(b.event());
        await b.called(1);
        await b.clock.advance(500);
        assert.equal(b.calls[0]!.context.signal.aborted, true, 'the handler is told');
        await b.clock.advance(5_000);
        await b.quiet();
        assert.equal(b.calls.length, 1, 'the second attempt waits for the first');
        open();
        await b.passTimeUntil(
          () => b.seen('processed').length === 1,
          () => 'the second attempt to succeed',
        );
        assert.equal(most, 1);
        assert.equal(b.calls.length, 2);
      }),
    );
  });
}
