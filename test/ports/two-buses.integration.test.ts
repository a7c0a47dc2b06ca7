import { describe, expect, it, vi } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import {
  canStartRedis,
  hasRedis,
  redisUrl,
  startTestRedis,
} from '../../scripts/services/test-redis.ts';
import { askRedis } from './support/ask-redis.ts';
import { healthOf, idsOf, ServiceWorld } from './support/service-world.ts';

const waiting = { timeout: 60_000, interval: 50 };
const count = 200;

describe.skipIf(!hasPostgres() || !hasRedis())('two buses on one schema, in two processes', () => {
  it('bring to each group what was sent to it, all of it and nothing else', async () => {
    await using world = await ServiceWorld.create();
    const streamPrefix = `two-buses-${process.pid}:`;
    const redis = { redisUrl: redisUrl(), streamPrefix };
    const [one, two] = await Promise.all([
      world.start({ service: 'streams', ...redis, count, handles: '*', logs: true }),
      world.start({ service: 'log', count, handles: '*', logs: true }),
    ]);
    for (const service of ['streams', 'log']) {
      await vi.waitFor(async () => {
        expect(new Set(await world.handledBy(service))).toEqual(idsOf(service, count));
      }, waiting);
      expect(await world.handledBy(service)).toHaveLength(count);
    }
    // What was handled already is not at once forgotten.
    await vi.waitFor(async () => {
      expect(await world.store.outbox.status()).toMatchObject({ waiting: 0 });
    }, waiting);
    const { rows } = await world.client.query(
      'SELECT destination, count(*)::int AS count FROM event_store GROUP BY 1 ORDER BY 1',
    );
    expect(rows).toEqual([
      { destination: 'postgres-log/public', count },
      { destination: `redis/${streamPrefix}`, count },
    ]);
    await Promise.all([one.kill('SIGTERM').catch(() => {}), two.kill('SIGTERM').catch(() => {})]);
  });
});

describe.skipIf(!hasPostgres() || !(await canStartRedis()))('two servers under one name', () => {
  it('are told apart: the second one gets nothing, until it has a name of its own', async () => {
    await using world = await ServiceWorld.create();
    const [first, second] = await Promise.all([startTestRedis(), startTestRedis()]);
    try {
      const one = await world.start({
        service: 'one',
        redisUrl: first.url,
        count: 20,
        handles: 'one.*',
        logs: true,
      });
      await vi.waitFor(async () => {
        expect(await world.handledBy('one')).toHaveLength(20);
      }, waiting);
      // Else it would relay what the other one sends to the name that they share.
      await one.kill();
      // Somebody else uses the second server, and has marked it.
      await askRedis(second.url, 'SET', 'waybill:events::marker', 'of somebody else');

      const args = {
        service: 'two',
        redisUrl: second.url,
        count: 20,
        handles: 'two.*',
        logs: true,
      };
      const lost = await world.start(args);
      const { publisher } = await healthOf(lost, (health) => health.publisher.status !== 'ok');
      expect(publisher.reasons.join()).toMatch(
        /is another server than before .*UPDATE event_destination SET marker = 'of somebody else'/,
      );
      await lost.kill();
      expect(await askRedis(second.url, 'XLEN', 'waybill:events:two')).toBe(0);

      await world.start({
        ...args,
        service: 'three',
        handles: 'three.*',
        destination: 'redis/second',
      });
      await vi.waitFor(async () => {
        expect(new Set(await world.handledBy('three'))).toEqual(idsOf('three', 20));
      }, waiting);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });
});
