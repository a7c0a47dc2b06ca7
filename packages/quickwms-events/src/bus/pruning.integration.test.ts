import { randomUUID } from 'node:crypto';

import { migrate, openPostgres, type SqlClient } from '@waybill/postgres';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  createTestDatabase,
  hasPostgres,
  type TestDatabase,
} from '../../../../scripts/services/test-database.ts';
import { hasRedis, redisUrl } from '../../../../scripts/services/test-redis.ts';
import { EventPublisher } from '../publisher/index.ts';
import { EventSubscriber } from '../subscriber/index.ts';
import { RedisStreamEventBus } from './index.ts';

/** Long enough for a slow machine; every wait ends as soon as its condition holds. */
const waiting = { timeout: 15_000, interval: 20 };
const dayMs = 86_400_000;

describe.skipIf(!hasRedis() || !hasPostgres())('the inbox of a group on Redis', () => {
  const streamPrefix = `test:${randomUUID()}:`;
  let database: TestDatabase;
  let client: SqlClient;
  let redis: Redis;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await migrate(client);
    redis = new Redis(redisUrl());
  });
  afterAll(async () => {
    redis?.disconnect();
    await client?.close();
    await database?.drop();
  });

  async function record(id: string, days: number): Promise<void> {
    await client.query(
      `INSERT INTO inbox (group_name, handler, source, event_id, recorded_at)
       VALUES ('quickgradez-group', 'item.graded', 'quickintakez', $1, now() - $2::float8 * interval '1 day')`,
      [id, days],
    );
  }

  async function untilKnown(...ids: string[]): Promise<void> {
    await vi.waitFor(async () => {
      const { rows } = await client.query('SELECT event_id FROM inbox ORDER BY event_id');
      expect(rows.map(({ event_id: id }) => id)).toEqual(ids);
    }, waiting);
  }

  /** Gives the only entry of the stream an id of so many days ago. */
  async function makeOlder(stream: string, days: number): Promise<void> {
    const [[, fields]] = (await redis.xrange(stream, '-', '+')) as [[string, string[]]];
    await redis.del(stream);
    await redis.xadd(stream, `${Date.now() - days * dayMs}-0`, ...fields);
  }

  it('keeps what was recorded since the oldest entry that the group has not settled', async () => {
    const bus = new RedisStreamEventBus({
      redis: redisUrl(),
      serviceName: 'quickgradez',
      streamPrefix,
    });
    const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const subscriber = new EventSubscriber(bus, {
      database: client,
      prune: { everyMs: 20 },
      random: () => 0,
    });
    subscriber.on('item.graded', async () => {
      begin();
      await released;
    });
    try {
      await publisher.publish({
        id: 'stuck',
        type: 'item.graded',
        qlid: '123456789',
        subject: 'item-1',
        data: { itemId: 'item-1', qlid: '123456789', grade: 'A', condition: 'new' },
      });
      await makeOlder(`${streamPrefix}item`, 40);
      await record('before', 40.5);
      await record('stuck', 39.9);
      await subscriber.start();
      await begun;
      await untilKnown('stuck');
      release();
      await untilKnown();
      expect(subscriber.health().status).toBe('ok');
    } finally {
      release();
      await publisher.shutdown();
      await bus.shutdown();
    }
  });
});
