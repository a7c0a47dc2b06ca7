import { randomBytes } from 'node:crypto';
import { EventPublisher, RedisStreamEventBus } from '@quickwms/events';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createTestDatabase,
  hasPostgres,
  type TestDatabase,
} from '../../../../scripts/services/test-database.ts';
import { hasRedis, redisUrl } from '../../../../scripts/services/test-redis.ts';
import { openDatabase, type OpenDatabase } from '../open-database.ts';
import { prepareTables } from '../warehouse.ts';
import { assertOwnStreams, removeStreams, type RunStreams } from './run-streams.ts';

describe.skipIf(!hasPostgres() || !hasRedis())('the streams of a run', () => {
  let testDatabase: TestDatabase;
  let opened: OpenDatabase;
  let redis: Redis;
  let streams: RunStreams;
  const base = `run-streams-${randomBytes(6).toString('hex')}`;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    opened = await openDatabase({ dataFolder: '', url: testDatabase.url });
    redis = new Redis(redisUrl());
    streams = { redisUrl: redisUrl(), prefix: `${base}:` };
  });
  afterEach(async () => {
    const keys = await redis.keys(`${base}*`);
    if (keys.length > 0) await redis.unlink(keys);
    redis.disconnect();
    await opened.database.close();
    await testDatabase.drop();
  });

  /** Publishes as a service of the run does: by way of the store. */
  async function publishOne(): Promise<void> {
    const eventStore = await prepareTables(opened.database);
    const { prefix: streamPrefix } = streams;
    const eventBus = new RedisStreamEventBus({
      redis: redisUrl(),
      serviceName: 'test',
      streamPrefix,
    });
    const publisher = new EventPublisher({ serviceName: 'test', eventBus, eventStore });
    await publisher.publish({ type: 'item.graded', subject: 'i1', data: {} });
    await publisher.shutdown();
    await eventBus.shutdown();
  }

  it('go with everything that belongs to them, and nothing else goes', async () => {
    await publishOne();
    const others = [base, `${base};item`, `${base}:item`.replace(':', ''), `other:${base}:item`];
    for (const key of others) await redis.set(key, 'ours to keep');
    expect(await redis.keys(`${base}:*`)).toContain(`${base}:item`);

    await removeStreams(streams, opened.database);

    expect(await redis.keys(`${base}:*`)).toEqual([]);
    expect(await redis.exists(others)).toBe(others.length);
    await redis.unlink(others);
  });

  it('are nobody else’s: one with an event that this database does not know stays, and its neighbours', async () => {
    await publishOne();
    await redis.xadd(`${base}:order`, '*', 'id', 'foreign', 'type', 'order.created');

    await expect(assertOwnStreams(streams, opened.database)).rejects.toThrow(
      `the streams ${base}:* on Redis hold events that are not of this run, such as foreign`,
    );
    await expect(removeStreams(streams, opened.database)).rejects.toThrow('--streams');
    expect(await redis.keys(`${base}:*`)).toContain(`${base}:item`);
  });

  it('may not exist, also where no run has ever been', async () => {
    await expect(removeStreams(streams, opened.database)).resolves.toBeUndefined();
  });

  it('are foreign where no run has ever been', async () => {
    await redis.xadd(`${base}:order`, '*', 'id', 'foreign');

    await expect(assertOwnStreams(streams, opened.database)).rejects.toThrow('foreign');
  });

  it('cannot be looked at where nothing answers, which is said in a line', async () => {
    const nowhere = { ...streams, redisUrl: 'redis://127.0.0.1:1' };

    await expect(assertOwnStreams(nowhere, opened.database)).rejects.toThrow(
      /^Redis at REDIS_URL does not answer: /,
    );
  });
});
