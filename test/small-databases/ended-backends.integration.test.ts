import { Publisher } from '@waybill/core';
import type { EventBus } from '@waybill/core';
import {
  consumerDatabase,
  openPostgres,
  PostgresEventBus,
  PostgresEventStore,
} from '@waybill/postgres';
import type { SqlClient, SqlTransaction } from '@waybill/postgres';
import { RedisStreamEventBus } from '@waybill/redis';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../scripts/services/test-database.ts';
import { hasRedis, redisUrl } from '../../scripts/services/test-redis.ts';

const count = 1_000;
const patience = { timeout: 50_000, interval: 100 };
const serviceName = 'unlucky';

const buses: { name: string; open: (client: SqlClient) => EventBus }[] = [
  { name: 'the log', open: (client) => new PostgresEventBus({ serviceName, client }) },
  {
    name: 'Redis and a database',
    open: (client) =>
      new RedisStreamEventBus({
        serviceName,
        redis: redisUrl(),
        streamPrefix: `ended-backends-${process.pid}:`,
        consumers: consumerDatabase({ client }),
      }),
  },
];

describe.skipIf(!hasPostgres() || !hasRedis())('with backends ended every 200 ms', () => {
  it.each(buses)('each effect is there once, and nothing is given up: $name', async ({ open }) => {
    const database = await createTestDatabase();
    const client = openPostgres({ connectionString: database.url });
    const store = new PostgresEventStore({ client });
    await store.initialize();
    await client.query('CREATE TABLE effect (event_id TEXT NOT NULL)');
    const bus = open(client);
    const publisher = new Publisher({ serviceName, bus });
    await publisher.publishBatch(
      Array.from({ length: count }, (_, number) => ({
        type: 'item.graded',
        id: `e${number}`,
        subject: `item-${number % 50}`,
        data: {},
      })),
    );
    const group = bus.consumers();
    group.on(
      ['item.graded'],
      async ({ id }, { tx }) => {
        const { query } = tx as SqlTransaction;
        await query.call(tx, 'INSERT INTO effect (event_id) VALUES ($1)', [id]);
        await query.call(tx, 'SELECT pg_sleep(0.01)');
      },
      { name: 'note', inbox: true, retry: { maxRetries: 0 } },
    );
    const killer = new pg.Client({ connectionString: database.url });
    await killer.connect();
    const killing = setInterval(() => {
      void killer.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    }, 200);
    const ask = async (text: string): Promise<unknown[]> => (await killer.query(text)).rows;
    try {
      await group.start();
      await vi.waitFor(async () => {
        const [row] = await ask('SELECT count(*)::int AS count FROM inbox');
        expect(row).toEqual({ count });
      }, patience);
      // Deliveries whose effect is there may still come again.
      await vi.waitFor(async () => {
        const { streams } = await bus.transport.inspect();
        const [found] = streams.flatMap(({ groups }) => groups);
        expect(found).toMatchObject({ lag: 0, pending: 0 });
      }, patience);
    } finally {
      clearInterval(killing);
    }
    expect(
      await ask(
        'SELECT count(*)::int AS count, count(DISTINCT event_id)::int AS distinct FROM effect',
      ),
    ).toEqual([{ count, distinct: count }]);
    expect(
      await ask('SELECT original_event_id, error_code, failure_reason FROM event_dlq'),
    ).toEqual([]);
    await group.stop();
    await publisher.shutdown();
    await bus.shutdown();
    await client.close();
    await killer.end();
    await database.drop();
  });
});
