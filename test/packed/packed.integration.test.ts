import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasRedis, redisUrl } from '../../scripts/services/test-redis.ts';
import { unpackAll, unpackingDeadlineMs, type UnpackedFolder } from './unpack.ts';

/** What a service does on its first day without a database. Prints the grade that it received, and once more. */
const service = `
import { EventPublisher, EventSubscriber, IdempotencyHandler, RedisStreamEventBus } from '@quickwms/events';
import { Redis } from 'ioredis';

const { REDIS_URL, STREAM_PREFIX } = process.env;
const bus = new RedisStreamEventBus({
  redis: REDIS_URL,
  serviceName: 'quickgradez',
  streamPrefix: STREAM_PREFIX,
  maxRetries: 0,
});
const redis = new Redis(REDIS_URL);
const operations = new IdempotencyHandler({ redis, keyPrefix: STREAM_PREFIX + 'keys:' });
const received = Promise.withResolvers();
const dead = Promise.withResolvers();
bus.on('deadLetter', ({ messageId }) => dead.resolve(messageId));
const subscriber = new EventSubscriber(bus);
subscriber.on('item.graded', async (event) => {
  if (event.data.grade === 'F') throw new Error('no shelf');
  received.resolve(await operations.executeIdempotent(event.id, 'shelve', () => event.data.grade));
});
await subscriber.start();
const publisher = new EventPublisher({ serviceName: 'quickgradez', eventBus: bus });
const event = await publisher.publish({ type: 'item.graded', qlid: '123456789', data: { grade: 'A' } });
console.log(await received.promise, await operations.getResult(event.id));
await publisher.publish({ type: 'item.graded', qlid: '123456789', data: { grade: 'F' } });
await dead.promise;
const [group] = await bus.getGroupInfo(STREAM_PREFIX + 'item');
console.log(group.name, group.lag);
await publisher.shutdown();
await bus.shutdown();
await redis.quit();
`;

describe.skipIf(!hasRedis())('the packages as they are published, with Redis', () => {
  const streamPrefix = `packed:${randomUUID()}:`;
  let folder: UnpackedFolder;
  beforeAll(async () => {
    folder = await unpackAll(['@standard-schema/spec', 'ioredis', 'zod']);
  }, unpackingDeadlineMs);
  afterAll(async () => {
    await folder?.remove();
    const redis = new Redis(redisUrl());
    for await (const keys of redis.scanStream({ match: `${streamPrefix}*`, count: 1_000 })) {
      if (keys.length > 0) await redis.del(...(keys as string[]));
    }
    await redis.quit();
  });

  it('bring all that a service needs beside ioredis', async () => {
    await writeFile(join(folder.path, 'service.mjs'), service);
    const env = { REDIS_URL: redisUrl(), STREAM_PREFIX: streamPrefix };
    expect(await folder.runModule('service.mjs', env)).toBe('A A\nquickgradez-group 0\n');
  }, 60_000);
});
