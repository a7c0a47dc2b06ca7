import { startFaultProxy } from '@waybill/testing';
import { describe, expect, it, vi } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { canStartRedis, startTestRedis } from '../../scripts/services/test-redis.ts';
import { askRedis } from './support/ask-redis.ts';
import { healthOf, idsOf, logLine, ServiceWorld } from './support/service-world.ts';

const waiting = { timeout: 60_000, interval: 50 };
/** How long Redis stays away; production outages of 45 seconds and more are tried by setting it. */
const awayMs = Number(process.env.OUTAGE_MS ?? 4_000);

describe.skipIf(!hasPostgres() || !(await canStartRedis()))('a Redis server', () => {
  it.each([
    ['says so in health and log', true],
    ['says so in health and in a warning of the process, where nobody gave a logger', false],
  ])(
    'that is killed and stays away: each service %s, and goes on afterwards',
    async (_, logs) => {
      await using world = await ServiceWorld.create();
      const redis = await startTestRedis({ settings: { appendfsync: 'always' } });
      try {
        const args = { redisUrl: redis.url, handles: '*', logs };
        const one = await world.start({ ...args, service: 'one', count: 20 });
        await vi.waitFor(async () => {
          expect(await world.handledBy('one')).toHaveLength(20);
        }, waiting);
        await redis.kill();
        const downAt = Date.now();
        const isRed = (status: string | undefined): boolean =>
          status !== undefined && status !== 'ok';
        // The consumer notices by itself, the relay with the next event.
        const idle = await healthOf(one, ({ group }) => isRed(group?.status));
        expect(idle.group!.reasons.join()).toMatch(
          /the consumer of one-group does not get on: .*, since \d{4}-/,
        );
        await publishInto(world, 217);
        const busy = await healthOf(one, ({ publisher }) => isRed(publisher.status));
        expect(busy.publisher.reasons.join()).toMatch(
          /the relay of redis\/waybill:events: does not get on: .*, since \d{4}-/,
        );
        expect((await world.store.outbox.status()).waiting).toBe(217);
        if (logs) {
          await logLine(one, /^warn the consumer of one-group does not get on/);
          await logLine(one, /^warn the relay of redis.* does not get on/);
        } else {
          expect(one.stderr).toMatch(
            /\[CONSUMER_TROUBLE\] WaybillWarning: the consumer of one-group/,
          );
          expect(one.stderr).toMatch(/\[RELAY_TROUBLE\] WaybillWarning: the relay of redis/);
        }
        await new Promise((resolve) => setTimeout(resolve, downAt + awayMs - Date.now()));
        await redis.restart({ keepData: true });
        await vi.waitFor(async () => {
          const handled = await world.handledBy('one');
          expect(new Set(handled).size).toBe(237);
          expect(handled).toHaveLength(237);
        }, waiting);
        await healthOf(
          one,
          ({ publisher, group }) => publisher.status === 'ok' && group!.status === 'ok',
        );
        if (logs) await logLine(one, /^warn the relay of redis.* gets on again after \d+ ms/);
      } finally {
        await redis.stop();
      }
    },
    180_000,
  );

  it('that is another one behind a known name gets nothing until it is accepted', async () => {
    await using world = await ServiceWorld.create();
    const [first, second] = await Promise.all([startTestRedis(), startTestRedis()]);
    // Both have the password of one URL.
    const { password } = new URL(first.url);
    await askRedis(second.url, 'ACL', 'SETUSER', 'default', `>${password}`);
    let current = first.url;
    const proxy = await startFaultProxy({
      to: {
        host: '127.0.0.1',
        get port() {
          return Number(new URL(current).port);
        },
      },
    });
    try {
      const url = new URL(first.url);
      url.port = String(proxy.port);
      const service = await world.start({
        service: 'one',
        redisUrl: url.href,
        count: 20,
        handles: '*',
        logs: true,
      });
      await vi.waitFor(async () => {
        expect(await world.handledBy('one')).toHaveLength(20);
      }, waiting);
      await askRedis(second.url, 'SET', 'waybill:events::marker', 'the second');
      current = second.url;
      await proxy.switchTo({ kind: 'reset' });
      await proxy.switchTo({ kind: 'pass' });
      await publishInto(world, 10);
      const { publisher } = await healthOf(service, (health) =>
        health.publisher.reasons.some((reason) => reason.includes('another server than before')),
      );
      expect(publisher.status).toBe('degraded');
      await logLine(service, /^warn the relay of redis.* another server than before/);
      expect(await askRedis(second.url, 'EXISTS', 'waybill:events:late')).toBe(0);
      expect((await world.store.outbox.status()).waiting).toBe(10);

      const statement = /UPDATE event_destination SET .* WHERE destination = '[^']*'/.exec(
        publisher.reasons.join(),
      )![0];
      await world.client.query(statement);
      await vi.waitFor(async () => {
        expect(await askRedis(second.url, 'XLEN', 'waybill:events:late')).toBe(10);
      }, waiting);
      await healthOf(service, (health) => health.publisher.status === 'ok');
    } finally {
      await proxy.stop();
      await Promise.all([first.stop(), second.stop()]);
    }
  });

  it('that was emptied is marked anew, which is told as a gap, and relaying goes on', async () => {
    await using world = await ServiceWorld.create();
    const redis = await startTestRedis();
    try {
      const args = { redisUrl: redis.url, count: 20, handles: '*', logs: true };
      const service = await world.start({ ...args, service: 'one' });
      await vi.waitFor(async () => {
        expect(new Set(await world.handledBy('one'))).toEqual(idsOf('one', 20));
      }, waiting);
      const marker = await askRedis(redis.url, 'GET', 'waybill:events::marker');
      await askRedis(redis.url, 'FLUSHALL');
      await publishInto(world, 10);
      await logLine(service, /redis\/waybill:events: was emptied/);
      await vi.waitFor(async () => {
        expect(await world.handledBy('one')).toHaveLength(30);
      }, waiting);
      expect(await askRedis(redis.url, 'GET', 'waybill:events::marker')).toBe(marker);
    } finally {
      await redis.stop();
    }
  });
});

/** Commits events as another process would that relays nothing itself. */
async function publishInto(world: ServiceWorld, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, index) => {
    const [id, type] = [`late-${index + 1}`, 'late.happened'];
    const event = { specversion: '1.0', id, source: 'test', type, data: {} };
    return {
      id,
      type,
      key: `late-key-${index % 10}`,
      contentType: 'application/cloudevents+json',
      body: JSON.stringify(event),
    };
  });
  await world.store.outbox.add(messages, { destination: 'redis/waybill:events:' });
}
