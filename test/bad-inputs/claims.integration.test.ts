// Inputs 62 and 63 on Redis, whose clock says when a claim or a result ends.

import { ManualClock } from '@waybill/core/memory';
import {
  EventPublisher,
  EventSubscriber,
  IdempotencyHandler,
  RedisStreamEventBus,
} from '@quickwms/events';
import { RedisIdempotencyStore } from '@waybill/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasRedis } from '../../scripts/services/test-redis.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { refusalOf } from './support/doors.ts';
import { openTestRedis, type TestKeys } from './support/open-test-redis.ts';
import { work } from './support/work.ts';

const dayMs = 86_400_000;

describe.skipIf(!hasRedis())('claims on Redis', () => {
  let keys: TestKeys;
  let keyPrefix: string;
  beforeAll(() => {
    keys = openTestRedis();
    keyPrefix = `${keys.streamPrefix}claim:`;
  });
  afterAll(() => keys.clear());

  const handler = (options: { claimMs?: number; clock?: ManualClock } = {}): IdempotencyHandler =>
    new IdempotencyHandler({ redis: keys.redis, keyPrefix, ...options });
  /** The time of the server, in milliseconds. */
  async function now(): Promise<number> {
    const [seconds, micros] = await keys.redis.time();
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  }
  /** Resolves when this much time has passed on the server. */
  async function passed(ms: number): Promise<void> {
    const end = (await now()) + ms;
    await waitUntil(`${ms} ms have passed`, async () => (await now()) > end);
  }

  it('62 holds a claim for as long as its work runs, however short it is', async () => {
    // It is renewed three times within its length, and a busy machine may be late for that by seconds.
    const slow = handler({ claimMs: 4_000 });
    const weighed = work();
    const weighing = slow.executeIdempotent('scale-1', 'weigh', weighed.run, 60);
    await weighed.begun;
    await passed(5_000);
    const second = await refusalOf(() =>
      handler().executeIdempotent('scale-1', 'weigh', () => 'twice', 60),
    );
    expect(second).toMatchObject({
      code: 'CLAIM_HELD',
      retryable: true,
      details: { key: 'scale-1' },
    });
    weighed.finish('12 kg');
    expect(await weighing).toBe('12 kg');
    expect(await handler().executeIdempotent('scale-1', 'weigh', () => 'twice', 60)).toBe('12 kg');
  });

  it('62 counts the time to live of a result from its end, and runs the work anew after it', async () => {
    const weighed = work();
    const weighing = handler().executeIdempotent('scale-2', 'weigh', weighed.run, 60);
    await weighed.begun;
    await passed(500);
    const endsFrom = await now();
    weighed.finish('12 kg');
    await weighing;
    // Counted from its beginning it would be half a second less.
    const expiresAt = Number(await keys.redis.call('PEXPIRETIME', `${keyPrefix}scale-2`));
    expect(expiresAt).toBeGreaterThanOrEqual(Math.floor(endsFrom) + 60_000);
    expect(expiresAt).toBeLessThanOrEqual((await now()) + 60_000);

    const brief = handler();
    expect(await brief.executeIdempotent('scale-5', 'weigh', () => '12 kg', 1)).toBe('12 kg');
    await passed(1_000);
    expect(await brief.getResult('scale-5')).toBeNull();
    expect(await brief.executeIdempotent('scale-5', 'weigh', () => '13 kg', 1)).toBe('13 kg');
  });

  it('62 refuses the result of a worker that was silent for longer than its claim', async () => {
    // Its clock stands still, so it never renews.
    const frozen = handler({ claimMs: 100, clock: new ManualClock() });
    const weighed = work();
    const weighing = frozen.executeIdempotent('scale-3', 'weigh', weighed.run);
    await weighed.begun;
    await passed(100);
    expect(await handler().executeIdempotent('scale-3', 'weigh', () => '12 kg')).toBe('12 kg');
    weighed.finish('11 kg');
    expect(await refusalOf(() => weighing)).toMatchObject({ code: 'CLAIM_LOST' });
    expect(await handler().getResult('scale-3')).toBe('12 kg');
  });

  it('63 frees a claim that is longer than the timeout of its handler when that handler fails', async () => {
    const operations = handler({ claimMs: dayMs });
    const { redis, streamPrefix } = keys;
    const bus = new RedisStreamEventBus({ redis, streamPrefix, serviceName: 'quickgradez' });
    const outcomes: string[] = [];
    const subscriber = new EventSubscriber(bus, { redriveLeaseMs: dayMs }).on(
      'item.received',
      async (event, { attempt, signal }) => {
        await operations.executeIdempotent(event.id, 'shelve', async () => {
          outcomes.push(`attempt ${attempt.number}`);
          if (attempt.number > 1) return;
          if (!signal.aborted) {
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
          }
          signal.throwIfAborted();
        });
        outcomes.push('shelved');
      },
      // The second attempt has to ask Redis twice within this.
      { timeoutMs: 3_000, retry: { baseDelayMs: 0 } },
    );
    await subscriber.start();
    const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
    const { id } = await publisher.publish({ type: 'item.received', data: {} });
    await waitUntil('it was shelved', () => outcomes.includes('shelved'));
    expect(outcomes).toEqual(['attempt 1', 'attempt 2', 'shelved']);
    expect(await operations.isExecuted(id)).toBe(true);
    await bus.shutdown();
  });

  it('63 says that a claim is held, and by what, while a longer one stands', async () => {
    // A process that died with its claim: nobody renews it, nobody releases it.
    const store = new RedisIdempotencyStore({ redis: keys.redis, keyPrefix });
    await store.claim('scale-4', { operation: 'weigh', claimMs: dayMs });
    const refusal = await refusalOf(() =>
      handler().executeIdempotent('scale-4', 'weigh', () => '12 kg'),
    );
    expect(String(refusal)).toMatch(
      /CLAIM_HELD: another process is running weigh under key scale-4; try again later/,
    );
    expect(await handler().isExecuted('scale-4')).toBe(false);
  });
});
