import { randomUUID } from 'node:crypto';

import type { ConsumerGroup, EventBus } from '@waybill/core';
import {
  consumerDatabase,
  openPostgres,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
} from '@waybill/postgres';
import type { SqlClient, SqlTransaction } from '@waybill/postgres';
import { RedisStreamEventBus } from '@waybill/redis';
import { describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../scripts/services/test-database.ts';
import { hasRedis, redisUrl } from '../../scripts/services/test-redis.ts';

const serviceName = 'grader';
const patience = { timeout: 50_000, interval: 50 };
/** How long the downstream stays away. */
const awayMs = Number(process.env.OUTAGE_MS ?? 3_000);
const keys = Array.from({ length: 60 }, (_, number) => `item-${number}`);

const buses: { name: string; open: (client: SqlClient) => EventBus }[] = [
  { name: 'the log', open: (client) => new PostgresEventBus({ serviceName, client }) },
  {
    name: 'Redis and a database',
    open: (client) =>
      new RedisStreamEventBus({
        serviceName,
        redis: redisUrl(),
        streamPrefix: `outage-${randomUUID()}:`,
        consumers: consumerDatabase({ client }),
      }),
  },
];

/** A bus with a group of five, and a table of what it has handled. */
async function setUp(
  open: (client: SqlClient) => EventBus,
  choices: { outageAfterKeys?: number } = {},
) {
  const database = await createTestDatabase();
  const client = openPostgres({ connectionString: database.url });
  await new PostgresEventStore({ client }).initialize();
  await client.query(
    'CREATE TABLE handled (at BIGSERIAL, event_id TEXT NOT NULL, key TEXT NOT NULL)',
  );
  const bus = open(client);
  await bus.connect();
  const group = bus.consumers(undefined, { concurrency: 5, maxInFlight: 10, ...choices });
  return {
    bus,
    group,
    deadLetters: new PostgresDeadLetterQueue({ client }),
    async handled(): Promise<{ event_id: string; key: string }[]> {
      const text = 'SELECT event_id, key FROM handled ORDER BY at';
      return (await client.query<{ event_id: string; key: string }>(text)).rows;
    },
    async end(): Promise<void> {
      await bus.shutdown({ deadlineMs: 2_000 });
      await client.close();
      await database.drop();
    },
  };
}

/** Notes what is handled, unless it is to fail. */
function noteUnless(group: ConsumerGroup, isFailing: (key: string) => boolean): void {
  group.on(
    ['item.graded'],
    async ({ id, subject }, { tx }) => {
      if (isFailing(subject!)) throw new Error('the scales are away');
      const { query } = tx as SqlTransaction;
      await query.call(tx, 'INSERT INTO handled (event_id, key) VALUES ($1, $2)', [id, subject]);
    },
    { name: 'note', inbox: true, retry: { maxRetries: 2, baseDelayMs: 100 } },
  );
}

async function publish(bus: EventBus, round: number, subjects: readonly string[]): Promise<void> {
  await bus.publishBatch(
    subjects.map((subject) => ({
      id: `${subject}-${round}`,
      source: 'scales',
      specversion: '1.0',
      type: 'item.graded',
      datacontenttype: 'application/json',
      time: new Date().toISOString(),
      subject,
      version: 1,
      data: { round },
    })),
  );
}

describe.skipIf(!hasPostgres() || !hasRedis())('what a handler needs', () => {
  it.each(buses)(
    'that goes away for a while costs no event, no order and no dead letter: $name',
    async ({ open }) => {
      const world = await setUp(open);
      const { bus, group, deadLetters } = world;
      let isAway = false;
      noteUnless(group, () => isAway);
      await group.start();
      await publish(bus, 1, keys);
      await vi.waitFor(async () => expect(await world.handled()).toHaveLength(60), patience);
      isAway = true;
      for (const round of [2, 3, 4]) await publish(bus, round, keys);
      await vi.waitFor(() => {
        expect(group.health().reasons.join()).toMatch(
          /handler note of group grader-group has failed for 5 keys in a row.*: the scales are away, since \d{4}-/,
        );
      }, patience);
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      expect(await deadLetters.list()).toEqual([]);
      isAway = false;
      await vi.waitFor(async () => expect(await world.handled()).toHaveLength(240), patience);
      const handled = await world.handled();
      for (const key of keys) {
        const ofKey = handled.filter((row) => row.key === key).map((row) => row.event_id);
        expect(ofKey).toEqual([1, 2, 3, 4].map((round) => `${key}-${round}`));
      }
      expect(await deadLetters.list()).toEqual([]);
      await vi.waitFor(() => expect(group.health().status).toBe('ok'), patience);
      await world.end();
    },
    120_000,
  );

  it.each(buses)(
    'of more keys than may be in flight keeps no other key waiting: $name',
    async ({ open }) => {
      const world = await setUp(open, { outageAfterKeys: Number.POSITIVE_INFINITY });
      const { bus, group } = world;
      const isBad = (key: string): boolean => Number(key.slice(5)) < 40;
      group.on(
        ['item.graded'],
        async ({ id, subject }, { tx }) => {
          if (isBad(subject!)) throw new Error('this item is not on the scales');
          const { query } = tx as SqlTransaction;
          await query.call(tx, 'INSERT INTO handled (event_id, key) VALUES ($1, $2)', [
            id,
            subject,
          ]);
        },
        { name: 'note', inbox: true, retry: { baseDelayMs: 30_000, maxDelayMs: 30_000 } },
      );
      await group.start();
      for (const key of keys.slice(0, 40)) await publish(bus, 1, [key, 'item-99']);
      await publish(bus, 2, keys.slice(40));
      await vi.waitFor(async () => {
        const handled = (await world.handled()).map((row) => row.event_id);
        expect(handled).toEqual(expect.arrayContaining(keys.slice(40).map((key) => `${key}-2`)));
      }, patience);
      await world.end();
    },
    90_000,
  );
});
