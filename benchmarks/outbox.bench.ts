/**
 * What does the outbox cost, compared with a bare table that is used as a queue?
 *
 * Enqueue: single rows, each in a transaction of its own, 64 under way on ten connections; the limit
 * is one prepared INSERT into a table with a key and a payload. Drain: a backlog taken by one process; the
 * limit is DELETE … SKIP LOCKED in batches of 500, one transaction each. With REDIS_URL, one case publishes
 * to a stream in between. Cases of one round run one after the other, each round beginning with another
 * one; printed is the median over rounds of the ratio to the limit of the same round.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';

import { Relay } from '@waybill/core';
import type { PublishOutcome } from '@waybill/core';
import { accepted } from '@waybill/core/adapter';
import type { Message } from '@waybill/core/adapter';
import { migrate, openPostgres, PostgresLogTransport, PostgresOutbox } from '@waybill/postgres';
import { RedisStreamTransport } from '@waybill/redis';
import { Redis } from 'ioredis';
import pg from 'pg';

import { measure, sideBySide, type Case } from './measure.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    enqueue: { type: 'string', default: '4000' },
    backlog: { type: 'string', default: '20000' },
  },
});
const rounds = Number(options.rounds);
const enqueueCount = Number(options.enqueue);
const backlog = Number(options.backlog);
const inFlight = 64;
const connections = 10;
const batchSize = 500;

const serverUrl = process.env.POSTGRES_URL;
if (!serverUrl) throw new Error('POSTGRES_URL is not set; run this by: npm run bench -- outbox');

const database = `waybill_bench_${randomUUID().slice(0, 8)}`;
const url = new URL(serverUrl);
url.pathname = `/${database}`;
const admin = new pg.Client({ connectionString: serverUrl });
await admin.connect();
await admin.query(`CREATE DATABASE ${database}`);
const pool = new pg.Pool({ connectionString: url.href, max: connections });
// The database is dropped while the last connections are on their way out.
pool.on('error', () => {});
const client = openPostgres({ connectionString: url.href, maxConnections: connections });
await migrate(client);
await pool.query(
  'CREATE TABLE bare_queue (id BIGSERIAL PRIMARY KEY, payload TEXT NOT NULL, created_at TIMESTAMPTZ NOT NULL DEFAULT now())',
);
const outbox = new PostgresOutbox({ client });
const destination = 'bench';
const log = new PostgresLogTransport({ client });
await log.connect();
const redisUrl = process.env.REDIS_URL;
const streams = redisUrl ? await openStreams(redisUrl) : undefined;

/** A structured event of the size that warehouse services publish. */
function message(): Message {
  const id = randomUUID();
  const body = JSON.stringify({
    specversion: '1.0',
    id,
    source: 'quickgradez',
    type: 'item.graded',
    time: '2026-03-01T12:00:00.000Z',
    subject: randomUUID(),
    correlationid: randomUUID(),
    data: { notes: 'All accessories present, light scratches on the lid. '.repeat(8) },
  });
  return { id, type: 'item.graded', key: randomUUID(), contentType: 'application/json', body };
}

const enqueue: Record<string, Case> = {
  'bare INSERT (the limit)': {
    count: enqueueCount,
    run: () =>
      sideBySide(inFlight, enqueueCount, async () => {
        const text = 'INSERT INTO bare_queue (payload) VALUES ($1)';
        await pool.query({ name: 'bare', text, values: [message().body] });
      }),
  },
  'outbox.add, a transaction of its own': {
    count: enqueueCount,
    run: () => sideBySide(inFlight, enqueueCount, () => outbox.add([message()], { destination })),
    target: '≥ 0.80',
  },
};

const drain: Record<string, Case> = {
  'DELETE … SKIP LOCKED 500 (the limit)': {
    count: backlog,
    prepare: fillBare,
    run: async () => {
      for (let taken = 1; taken > 0;) {
        const { rowCount } = await pool.query(
          `DELETE FROM bare_queue WHERE id IN (
             SELECT id FROM bare_queue ORDER BY id LIMIT ${batchSize} FOR UPDATE SKIP LOCKED)
           RETURNING payload`,
        );
        taken = rowCount ?? 0;
      }
    },
  },
  'relay, publishing to nowhere': {
    count: backlog,
    prepare: fillOutbox,
    run: () => relayAll(async (messages) => messages.map(({ id }) => accepted(id))),
  },
  'relay, publishing to the PostgreSQL log': {
    count: backlog,
    prepare: fillOutbox,
    run: () => relayAll((messages) => log.publish(messages)),
  },
  ...(streams
    ? {
        'relay, publishing to a stream on Redis': {
          count: backlog,
          prepare: async () => {
            await streams.clear();
            await fillOutbox();
          },
          run: () => relayAll((messages) => streams.transport.publish(messages)),
          target: '≥ 0.40',
        },
      }
    : {}),
};

/** A transport whose keys go with `clear`. */
async function openStreams(redis: string) {
  const streamPrefix = `bench:${database}:`;
  const transport = new RedisStreamTransport({ redis, streamPrefix });
  await transport.connect();
  const cleaner = new Redis(redis);
  const clear = async (): Promise<void> => {
    const keys = await cleaner.keys(`${streamPrefix}*`);
    if (keys.length > 0) await cleaner.unlink(...keys);
  };
  return {
    transport,
    clear,
    async close() {
      await transport.close();
      await clear();
      await cleaner.quit();
    },
  };
}

async function fillBare(): Promise<void> {
  await pool.query('TRUNCATE bare_queue');
  for (let at = 0; at < backlog; at += 1_000) {
    await pool.query('INSERT INTO bare_queue (payload) SELECT * FROM unnest($1::text[])', [
      Array.from({ length: 1_000 }, () => message().body),
    ]);
  }
  await pool.query('VACUUM ANALYZE bare_queue');
}

async function fillOutbox(): Promise<void> {
  await pool.query('TRUNCATE outbox, event_log');
  for (let at = 0; at < backlog; at += 1_000) {
    await outbox.add(Array.from({ length: 1_000 }, message), { destination });
  }
  await pool.query('VACUUM ANALYZE outbox');
}

async function relayAll(
  publish: (messages: readonly Message[]) => Promise<readonly PublishOutcome[]>,
): Promise<void> {
  let published = 0;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const relay = new Relay({
    outbox,
    destination,
    batchSize,
    publish: async (messages) => {
      const outcomes = await publish(messages);
      published += messages.length;
      if (published >= backlog) resolve();
      return outcomes;
    },
  });
  relay.start();
  await done;
  // Includes forgetting the last batch.
  await relay.stop();
}

try {
  const { rows } = await pool.query<{ server_version: string }>('SHOW server_version');
  console.log(
    `messages of ${Buffer.byteLength(message().body)} bytes; PostgreSQL ${rows[0]!.server_version}, Node ${process.versions.node}; ${rounds} rounds`,
  );
  await measure(`enqueue ${enqueueCount}, one by one, ${inFlight} in flight`, rounds, enqueue);
  await measure(`drain a backlog of ${backlog}`, rounds, drain);
} finally {
  await streams?.close();
  await log.close();
  await client.close();
  await pool.end();
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.end();
}
