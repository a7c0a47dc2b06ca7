import { Publisher } from '@waybill/core';
import type { EventBus, Handler } from '@waybill/core';
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

const count = 200;
const concurrency = 50;
const patience = { timeout: 50_000, interval: 100 };
const serviceName = 'thrifty';

type Transport = 'the log' | 'Redis';
type Pool = 'own' | 'lent';
const cases = (['the log', 'Redis'] as const).flatMap((transport) =>
  (['own', 'lent'] as const).flatMap((pool) =>
    [1, 2].map((size) => ({ transport, pool, size, apart: pool === 'own' || size > 1 })),
  ),
);

/** A service on few connections: its outbox, its relay and its group share them. */
async function openWorld(transport: Transport, pool: Pool, size: number) {
  const database = await createTestDatabase();
  const lent = pool === 'lent' ? new pg.Pool({ connectionString: database.url, max: size }) : null;
  const client = lent
    ? openPostgres({ pool: lent })
    : openPostgres({ connectionString: database.url, maxConnections: size });
  const store = new PostgresEventStore({ client });
  await store.initialize();
  await client.query('CREATE TABLE effect (event_id TEXT NOT NULL)');
  const bus = openBus(transport, client);
  const publisher = new Publisher({ serviceName, bus, store });
  await publisher.connect();
  return {
    client,
    store,
    bus,
    publisher,
    async close() {
      await publisher.shutdown();
      await bus.shutdown();
      await client.close();
      await lent?.end();
      await database.drop();
    },
  };
}

function openBus(transport: Transport, client: SqlClient): EventBus {
  const consumers = { ...consumerDatabase({ client }), concurrency };
  if (transport === 'the log') return new PostgresEventBus({ serviceName, client, consumers });
  const streamPrefix = `small-pools-${process.pid}-${Math.random()}:`;
  return new RedisStreamEventBus({ serviceName, redis: redisUrl(), streamPrefix, consumers });
}

const drafts = Array.from({ length: count }, (_, number) => ({
  type: 'item.graded',
  id: `e${number}`,
  subject: `item-${number}`,
  data: {},
}));

const noted = (publish: (id: string) => Promise<unknown>): Handler => {
  return async ({ id }, { tx }) => {
    await (tx as SqlTransaction).query('INSERT INTO effect (event_id) VALUES ($1)', [id]);
    await publish(id);
  };
};

describe.skipIf(!hasPostgres() || !hasRedis())('a pool of few connections', () => {
  it.each(cases)(
    'serves fifty handlers at once: $pool pool of $size, over $transport',
    async ({ transport, pool, size, apart }) => {
      const world = await openWorld(transport, pool, size);
      const { bus, publisher, client, store } = world;
      await publisher.publishBatch(drafts);
      const group = bus.consumers();
      const choice = apart ? { tx: null } : {};
      const publish = (id: string): Promise<unknown> =>
        publisher.publish({ type: 'item.priced', id: `p-${id}`, subject: id, data: {} }, choice);
      group.on(['item.graded'], noted(publish), { name: 'note', inbox: true });
      await group.start();
      expect(group.health().reasons.join()).toMatch(
        pool === 'own' ? /maxConnections: \d+/ : /max: \d+ for the pool/,
      );
      const ask = async (text: string): Promise<unknown> => (await client.query(text)).rows[0];
      await vi.waitFor(async () => {
        expect(await ask('SELECT count(*)::int AS count FROM effect')).toEqual({ count });
        expect(await store.outbox.status()).toMatchObject({ waiting: 0 });
      }, patience);
      expect(await store.getCount('item.priced')).toBe(count);
      expect(await ask('SELECT count(*)::int AS count FROM event_dlq')).toEqual({ count: 0 });
      await group.stop();
      await world.close();
    },
  );

  it.each(['the log', 'Redis'] as const)(
    'of one connection refuses by name what would wait for itself, over %s',
    async (transport) => {
      const world = await openWorld(transport, 'lent', 1);
      const { bus, publisher, client } = world;
      await publisher.publish(drafts[0]!);
      const refusals: unknown[] = [];
      const refused = async (work: () => Promise<unknown>): Promise<void> =>
        void refusals.push(await work().catch((error: unknown) => String(error)));
      const group = bus.consumers();
      const handler = noted(async () => {
        await refused(() => publisher.publish({ ...drafts[1]! }, { tx: null }));
        await refused(() => client.query('SELECT 1'));
        await refused(() => client.run(async () => {}));
      });
      group.on(['item.graded'], handler, { name: 'note', inbox: true });
      await group.start();
      await vi.waitFor(() => expect(refusals).toHaveLength(3), patience);
      for (const refusal of refusals) expect(refusal).toMatch(/TX_SELF_WAIT.* max: 2 or more/);
      await group.stop();
      await world.close();
    },
  );
});
