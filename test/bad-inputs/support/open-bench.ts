import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MemoryDeadLetterQueue } from '@waybill/core/memory';
import {
  EventPublisher,
  MemoryEventBus,
  openEmbedded,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  RedisDeadLetterQueue,
  RedisStreamEventBus,
  type SqlClient,
} from '@quickwms/events';

import { waitUntil } from '../../../scripts/wait-until.ts';
import { Bench } from './bench.ts';
import { openTestRedis, type TestKeys } from './open-test-redis.ts';

const serviceName = 'quickgradez';

/** Publishing goes straight to the bus; nothing is stored. */
export function openMemoryBench(): Promise<Bench> {
  return Bench.open(async (observer) => {
    const deadLetters = new MemoryDeadLetterQueue();
    const bus = new MemoryEventBus({ serviceName, observer, consumers: { deadLetters } });
    await bus.connect();
    return {
      bus,
      publisher: new EventPublisher({ serviceName: 'quickintakez', eventBus: bus, observer }),
      deadLetters,
      stores: false,
      tellsTextFromBytes: true,
      hugeBytes: 100_000_000,
      stored: async () => [],
      counts: async () => ({
        stored: 0,
        carried: (await bus.getStreamInfo('memory')).length,
        dead: (await deadLetters.list({ limit: 1_000 })).length,
      }),
      relayed: async () => undefined,
      close: () => bus.shutdown(),
    };
  });
}

/** Publishing goes straight to the bus; dead letters are on Redis, too. Clears the keys when it closes. */
export function openRedisBench(keys: TestKeys = openTestRedis()): Promise<Bench> {
  return Bench.open(async (observer) => {
    const { redis, streamPrefix, clear } = keys;
    const bus = new RedisStreamEventBus({ redis, serviceName, streamPrefix, observer });
    await bus.connect();
    const deadLetters = new RedisDeadLetterQueue({ redis, streamPrefix });
    return {
      bus,
      publisher: new EventPublisher({ serviceName: 'quickintakez', eventBus: bus, observer }),
      deadLetters,
      stores: false,
      tellsTextFromBytes: false,
      hugeBytes: 4_000_000,
      stored: async () => [],
      async counts() {
        const { streams } = await bus.transport.inspect();
        return {
          stored: 0,
          carried: streams.reduce((sum, { length }) => sum + length, 0),
          dead: (await deadLetters.list({ limit: 1_000 })).length,
        };
      },
      relayed: async () => undefined,
      async close() {
        await bus.shutdown();
        await clear();
      },
    };
  });
}

/** A database in a directory that is gone afterwards. */
export async function openTemporary(): Promise<{ client: SqlClient; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'waybill-bad-inputs-'));
  const client = await openEmbedded(directory);
  return {
    client,
    async close() {
      await client.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Publishing goes through store and outbox to the log; the handler runs in a transaction with its inbox. */
export function openEmbeddedBench(): Promise<Bench> {
  return Bench.open(async (observer) => {
    const { client, close } = await openTemporary();
    const eventStore = new PostgresEventStore({ client });
    await eventStore.initialize();
    const bus = new PostgresEventBus({ serviceName, client, observer });
    await bus.connect();
    const publisher = new EventPublisher({
      serviceName: 'quickintakez',
      eventBus: bus,
      eventStore,
      observer,
    });
    const count = async (table: string): Promise<number> => {
      const { rows } = await client.query<{ count: bigint }>(`SELECT count(*) FROM ${table}`);
      return Number(rows[0]!.count);
    };
    return {
      bus,
      publisher,
      deadLetters: new PostgresDeadLetterQueue({ client }),
      stores: true,
      tellsTextFromBytes: true,
      hugeBytes: 4_000_000,
      async stored(eventId) {
        const { rows } = await client.query<{ source: string }>(
          'SELECT source FROM event_store WHERE event_id = $1 ORDER BY sequence_number',
          [eventId],
        );
        const events = rows.map(({ source }) => eventStore.getById(eventId, source));
        return (await Promise.all(events)).filter((event) => event !== null);
      },
      counts: async () => ({
        stored: await count('event_store'),
        carried: await count('event_log'),
        dead: await count('event_dlq'),
      }),
      relayed: () => waitUntil('the outbox is empty', async () => (await count('outbox')) === 0),
      async close() {
        await publisher.shutdown();
        await bus.shutdown();
        await eventStore.close();
        await close();
      },
    };
  });
}
