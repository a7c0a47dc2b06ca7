import { randomUUID } from 'node:crypto';

import type { TransportEventBus } from '@waybill/core/adapter';
import { openPglite } from '@waybill/postgres/pglite';
import { migrate, openPostgres, type SqlClient } from '@waybill/postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  createTestDatabase,
  hasPostgres,
  type TestDatabase,
} from '../../../../scripts/services/test-database.ts';
import { hasRedis, redisUrl } from '../../../../scripts/services/test-redis.ts';
import { EventPublisher } from '../publisher/index.ts';
import { PostgresEventStore } from '../store/index.ts';
import { EventSubscriber } from '../subscriber/index.ts';
import { PostgresEventBus, RedisStreamEventBus } from './index.ts';

/** Long enough for a slow machine; every wait ends as soon as its condition holds. */
const waiting = { timeout: 30_000, interval: 5 };

const inOrder = ['1 a', '1 b', '2 a', '2 b', '3 a', '3 b'];

const graded = (id: string) => ({
  id,
  type: 'item.graded' as const,
  qlid: '123456789',
  subject: 'item-1',
  data: { itemId: 'item-1', qlid: '123456789', grade: 'A' as const, condition: 'new' },
});

/**
 * Stops a subscriber in the middle of an event, and has the next one go on from there, three times.
 *
 * @returns What was handled, in order.
 */
async function restart(bus: TransportEventBus, publisher: EventPublisher): Promise<string[]> {
  const handled: string[] = [];
  let running = 0;
  for (let round = 1; round <= 3; round += 1) {
    const subscriber = new EventSubscriber(bus, { worker: 'dock-7', concurrency: round });
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    subscriber.on('item.graded', async ({ id }) => {
      expect((running += 1)).toBe(1);
      begin();
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
      handled.push(id);
    });
    const started = subscriber.start();
    await publisher.publishBatch([graded(`${round} a`), graded(`${round} b`)]);
    await started;
    await begun;
    // The next one is made, and started, before this one has ended.
    void subscriber.stop();
  }
  const last = new EventSubscriber(bus);
  last.on('item.graded', ({ id }) => void handled.push(id));
  await last.start();
  await vi.waitFor(() => expect(new Set(handled).size).toBe(6), waiting);
  await last.stop();
  await publisher.shutdown();
  await bus.shutdown();
  return handled;
}

describe('a group that is stopped and made anew', () => {
  it.skipIf(!hasRedis())('goes on where it stood, on Redis', async () => {
    const bus = new RedisStreamEventBus({
      redis: redisUrl(),
      serviceName: 'quickgradez',
      streamPrefix: `test:${randomUUID()}:`,
    });
    const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
    expect(await restart(bus, publisher)).toEqual(inOrder);
  });

  describe.skipIf(!hasPostgres())('with PostgreSQL', () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await createTestDatabase();
    });
    afterAll(() => database?.drop());

    it('goes on where it stood, on the log of a server', async () => {
      const client = openPostgres({ connectionString: database.url });
      expect(await restartOn(client)).toEqual(inOrder);
      await client.close();
    });
  });

  it('goes on where it stood, on an embedded log', async () => {
    const client = await openPglite({ memory: true });
    expect(await restartOn(client)).toEqual(inOrder);
    await client.close();
  });

  async function restartOn(client: SqlClient): Promise<string[]> {
    await migrate(client);
    const eventStore = new PostgresEventStore({ client });
    await eventStore.initialize();
    const bus = new PostgresEventBus({ serviceName: 'quickgradez', client });
    return await restart(
      bus,
      new EventPublisher({ serviceName: 'quickintakez', eventBus: bus, eventStore }),
    );
  }
});
