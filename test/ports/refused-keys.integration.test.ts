import { setTimeout as sleep } from 'node:timers/promises';

import { partitionOf, type Message } from '@waybill/core/adapter';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import {
  canStartRedis,
  startTestRedis,
  type TestRedis,
} from '../../scripts/services/test-redis.ts';
import { askRedis } from './support/ask-redis.ts';
import { healthOf, logLine, ServiceWorld } from './support/service-world.ts';

const waiting = { timeout: 60_000, interval: 50 };
const prefix = 'waybill:events:';
const destination = `redis/${prefix}`;
/** As many as a relay publishes at once unless told otherwise, and twice as many again. */
const stuckCount = 3 * 500;
const otherKeys = keysBeside('stuck', 10);

describe.skipIf(!hasPostgres() || !(await canStartRedis()))(
  'a stream that refuses its messages',
  () => {
    let world: ServiceWorld;
    let redis: TestRedis;
    beforeEach(async () => {
      [world, redis] = await Promise.all([ServiceWorld.create(), startTestRedis()]);
    }, 60_000);
    afterEach(async () => {
      await world[Symbol.asyncDispose]();
      await redis.stop();
    });

    const stuck = messages('stuck.happened', stuckCount, ['stuck']);
    const others = messages('other.happened', 200, otherKeys);

    /** Publishes by two processes, with the refused rows ahead of all others of their partition. */
    async function relayBoth(redisUrl: string) {
      await world.store.outbox.add(stuck, { destination });
      await world.store.outbox.add(others, { destination });
      const args = { redisUrl, count: 0, logs: true };
      return await Promise.all([
        world.start({ ...args, service: 'one' }),
        world.start({ ...args, service: 'two' }),
      ]);
    }

    /** Waits until the other keys are out, each message once, and sees what is said of the one that is not. */
    async function expectOthersOut(reason: RegExp): Promise<void> {
      await vi.waitFor(async () => {
        expect(await askRedis(redis.url, 'XLEN', `${prefix}other`)).toBe(others.length);
        // What is published is not at once forgotten.
        expect((await world.store.outbox.status()).waiting).toBe(stuck.length);
      }, waiting);
      const { refused } = await world.store.outbox.status();
      expect(refused).toMatchObject([
        {
          eventId: stuck[0]!.id,
          eventType: 'stuck.happened',
          key: 'stuck',
          destination,
          retryable: false,
        },
      ]);
      expect(refused[0]!.reason).toMatch(reason);
    }

    /** Waits until everything is out. @returns Ids of the stream that had refused, in its order. */
    async function idsOnceMended(): Promise<string[]> {
      await vi.waitFor(
        async () => {
          // Not to wait for a minute: the operator has mended it, and says so.
          await world.client.query(
            'UPDATE outbox SET retry_at = clock_timestamp() WHERE retry_at IS NOT NULL',
          );
          expect((await world.store.outbox.status()).waiting).toBe(0);
        },
        { ...waiting, interval: 500 },
      );
      return await idsIn('stuck');
    }

    async function idsIn(stream: string): Promise<string[]> {
      const entries = await askRedis(redis.url, 'XRANGE', prefix + stream, '-', '+');
      return (entries as [string, string[]][]).map(([, fields]) => fields[1]!);
    }

    const distinctIds = async (stream: string): Promise<string[]> =>
      [...new Set(await idsIn(stream))].toSorted();

    it('because its Redis key is of another type holds back its own key alone', async () => {
      await askRedis(redis.url, 'SET', `${prefix}stuck`, 'not a stream');
      const [one] = await relayBoth(redis.url);
      await expectOthersOut(/WRONGTYPE/);
      // It may have had another reason before, on a machine that is slow.
      const refused = /does not take stuck.happened stuck.happened-1 .*WRONGTYPE/;
      await healthOf(one, ({ publisher }) => refused.test(publisher.reasons.join()));

      await askRedis(redis.url, 'DEL', `${prefix}stuck`);
      expect(await idsOnceMended()).toEqual(stuck.map(({ id }) => id));
      expect(await askRedis(redis.url, 'XLEN', `${prefix}other`)).toBe(others.length);
      await healthOf(one, (health) => health.publisher.status === 'ok');
    });

    it('holds back no more and no less while its relays are killed, and forgets nothing', async () => {
      await askRedis(redis.url, 'SET', `${prefix}stuck`, 'not a stream');
      const args = { redisUrl: redis.url, service: 'one', count: 0, logs: true };
      await world.store.outbox.add(stuck, { destination });
      for (let batch = 0; batch < others.length; batch += 20) {
        await world.store.outbox.add(others.slice(batch, batch + 20), { destination });
        const relay = await world.start(args);
        // Some time between the first look and the last row.
        await Promise.race([logLine(relay, /does not take stuck/), sleep(50 + batch)]).catch(
          () => {},
        );
        await relay.kill();
      }
      await world.start(args);
      await vi.waitFor(async () => {
        expect(await distinctIds('other')).toEqual(others.map(({ id }) => id).toSorted());
        expect((await world.store.outbox.status()).waiting).toBe(stuck.length);
      }, waiting);
      await askRedis(redis.url, 'DEL', `${prefix}stuck`);
      expect(await idsOnceMended()).toEqual(stuck.map(({ id }) => id));
    });

    it('because a right is missing holds back its own key alone', async () => {
      const rights = `on >secret +@all resetkeys ~${prefix}:* ~${prefix}other`;
      await askRedis(redis.url, 'ACL', 'SETUSER', 'relay', ...rights.split(' '));
      const url = new URL(redis.url);
      [url.username, url.password] = ['relay', 'secret'];
      const [one, two] = await relayBoth(url.href);
      await expectOthersOut(/NOPERM/);
      await Promise.race([one, two].map((each) => logLine(each, /does not take stuck.happened/)));

      await askRedis(redis.url, 'ACL', 'SETUSER', 'relay', `~${prefix}stuck`);
      expect(await idsOnceMended()).toEqual(stuck.map(({ id }) => id));
      expect(await askRedis(redis.url, 'XLEN', `${prefix}other`)).toBe(others.length);
    });
  },
);

function messages(type: string, count: number, keys: readonly string[]): Message[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${type}-${index + 1}`;
    const event = { specversion: '1.0', id, source: 'test', type, data: {} };
    return {
      id,
      type,
      key: keys[index % keys.length]!,
      contentType: 'application/cloudevents+json',
      body: JSON.stringify(event),
    };
  });
}

/** Keys that lie in one partition of the outbox with another one. */
function keysBeside(key: string, count: number): string[] {
  const keys: string[] = [];
  for (let number = 0; keys.length < count; number += 1) {
    if (partitionOf(`beside-${number}`) === partitionOf(key)) keys.push(`beside-${number}`);
  }
  return keys;
}
