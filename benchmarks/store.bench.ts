/**
 * What does the event store cost, compared with bare inserts into a table of the same shape?
 *
 * The limits are hand-written loops in this file, since `pgbench` is not to be found on every machine.
 * They pay for making events and for `pg`, which `pgbench` would not, so ratios to it would be lower:
 * one `pg` client that awaits each prepared INSERT, ten that do so side by side, and the server alone
 * copying 1,000 rows in one statement. Their table has every column and index of the event table, and
 * not its trigger. Cases of one round run one after the other, each round beginning with another one;
 * printed is the median over rounds of the ratio to the limit of the same round.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';

import { PostgresEventStore } from '@quickwms/events';
import type { EventEnvelope } from '@quickwms/events';
import pg from 'pg';

import { measure, sideBySide, type Case } from './measure.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    singles: { type: 'string', default: '400' },
    appends: { type: 'string', default: '4000' },
    batches: { type: 'string', default: '6' },
    reads: { type: 'string', default: '600' },
  },
});
const rounds = Number(options.rounds);
const singles = Number(options.singles);
const appends = Number(options.appends);
const batches = Number(options.batches);
const reads = Number(options.reads);
const batchSize = 1_000;
const eventsPerCorrelation = 4;

const serverUrl = process.env.POSTGRES_URL;
if (!serverUrl) throw new Error('POSTGRES_URL is not set; run this by: npm run bench -- store');

const database = `waybill_bench_${randomUUID().slice(0, 8)}`;
const url = new URL(serverUrl);
url.pathname = `/${database}`;
const admin = new pg.Client({ connectionString: serverUrl });
await admin.connect();
await admin.query(`CREATE DATABASE ${database}`);
const store = new PostgresEventStore({ connectionString: url.href });
await store.initialize();
const clients = await Promise.all(
  Array.from({ length: 10 }, async () => {
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    return client;
  }),
);
const one = clients[0]!;
await one.query('CREATE TABLE bare_events (LIKE event_store INCLUDING ALL)');
await one.query('CREATE TABLE source_rows (LIKE event_store INCLUDING DEFAULTS)');

/** An event of the size that warehouse services publish. */
function makeEvent(correlationId: string = randomUUID()): EventEnvelope {
  const itemId = randomUUID();
  return {
    id: randomUUID(),
    source: 'quickgradez',
    specversion: '1.0',
    type: 'item.graded',
    datacontenttype: 'application/json',
    time: '2026-03-01T12:00:00.000Z',
    subject: itemId,
    correlationId,
    causationId: randomUUID(),
    userId: randomUUID(),
    version: 1,
    qlid: String(Math.floor(Math.random() * 1e9)).padStart(9, '0'),
    warehouseId: 'PHX-01',
    metadata: { retryCount: 0, environment: 'production' },
    data: {
      itemId,
      sku: 'KTC-4410-BLK',
      grade: 'B',
      previousGrade: null,
      functional: true,
      estimatedValue: 129.99,
      defects: ['scratched lid', 'box damaged'],
      dimensions: { widthMm: 300, heightMm: 120, depthMm: 240, weightGrams: 1850 },
      notes: 'All accessories present, light scratches on the lid. '.repeat(2),
    },
  };
}

const columns =
  'event_id, source, event_type, subject, correlation_id, causation_id, user_id, version, data, metadata, time, datacontenttype, qlid, warehouse_id, created_at';

async function insertBare(client: pg.Client): Promise<void> {
  const event = makeEvent();
  await client.query({
    name: 'bare',
    text: `INSERT INTO bare_events (${columns})
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING sequence_number`,
    values: [
      event.id,
      event.source,
      event.type,
      event.subject,
      event.correlationId,
      event.causationId,
      event.userId,
      event.version,
      JSON.stringify(event.data),
      JSON.stringify(event.metadata),
      event.time,
      event.datacontenttype,
      event.qlid,
      event.warehouseId,
      event.time,
    ],
  });
}

const oneClient = 'limit: bare INSERT, 1 client, awaited';
const tenClients = 'limit: bare INSERT, 10 clients';
const serverAlone = 'limit: server copies 1,000 rows';

const appendCases: Record<string, Case> = {
  [oneClient]: { count: singles, run: () => sideBySide(1, singles, () => insertBare(one)) },
  'append, awaited one by one': {
    count: singles,
    run: () => sideBySide(1, singles, () => store.append(makeEvent())),
  },
  [tenClients]: {
    count: appends,
    limit: tenClients,
    run: () => sideBySide(10, appends, (worker) => insertBare(clients[worker]!)),
  },
  'append, 64 callers': {
    count: appends,
    limit: tenClients,
    run: () => sideBySide(64, appends, () => store.append(makeEvent())),
  },
  'append, 256 callers': {
    count: appends,
    limit: tenClients,
    run: () => sideBySide(256, appends, () => store.append(makeEvent())),
  },
  [serverAlone]: {
    count: batches * batchSize,
    limit: serverAlone,
    run: () => sideBySide(1, batches, copyOnServer),
  },
  'appendBatch of 1,000, one at a time': {
    count: batches * batchSize,
    limit: serverAlone,
    run: () => sideBySide(1, batches, () => store.appendBatch(makeBatch())),
  },
  'appendBatch of 1,000, two at a time': {
    count: batches * batchSize,
    limit: serverAlone,
    run: () => sideBySide(2, batches, () => store.appendBatch(makeBatch())),
  },
};

const correlations = Array.from({ length: 5_000 }, () => randomUUID());
const anyCorrelation = (): string => correlations[Math.floor(Math.random() * correlations.length)]!;
const oneReader = 'limit: prepared SELECT, 1 client, awaited';
const tenReaders = 'limit: prepared SELECT, 10 clients';

const readCases: Record<string, Case> = {
  [oneReader]: { count: reads, run: () => sideBySide(1, reads, () => selectBare(one)) },
  'getByCorrelationId, awaited one by one': {
    count: reads,
    run: () => sideBySide(1, reads, () => store.getByCorrelationId(anyCorrelation())),
  },
  [tenReaders]: {
    count: reads * 4,
    limit: tenReaders,
    run: () => sideBySide(10, reads * 4, (worker) => selectBare(clients[worker]!)),
  },
  'getByCorrelationId, 64 in flight': {
    count: reads * 4,
    limit: tenReaders,
    run: () => sideBySide(64, reads * 4, () => store.getByCorrelationId(anyCorrelation())),
  },
};

async function selectBare(client: pg.Client): Promise<void> {
  await client.query({
    name: 'select',
    text: 'SELECT * FROM event_store WHERE correlation_id = $1 ORDER BY sequence_number LIMIT 1000',
    values: [anyCorrelation()],
  });
}

function makeBatch(): EventEnvelope[] {
  return Array.from({ length: batchSize }, () => makeEvent());
}

/** No parsing of JSON and no network: what the table and its indexes cost by themselves. */
async function copyOnServer(): Promise<void> {
  await one.query({
    name: 'copy',
    text: `INSERT INTO bare_events (${columns})
      SELECT gen_random_uuid()::text, source, event_type, gen_random_uuid()::text, gen_random_uuid()::text,
        causation_id, user_id, version, data, metadata, time, datacontenttype, qlid, warehouse_id, created_at
      FROM source_rows`,
  });
}

try {
  await store.appendBatch(makeBatch());
  await one.query('INSERT INTO source_rows SELECT * FROM event_store');
  const { rows } = await one.query<{ server_version: string; fsync: string }>(
    "SELECT current_setting('server_version') AS server_version, current_setting('fsync') AS fsync",
  );
  const bytes = Buffer.byteLength(JSON.stringify(makeEvent()));
  console.log(
    `events of ${bytes} bytes; PostgreSQL ${rows[0]!.server_version} with fsync ${rows[0]!.fsync}, Node ${process.versions.node}; ${rounds} rounds`,
  );
  await measure('append', rounds, appendCases);
  for (let at = 0; at < correlations.length; at += 250) {
    await store.appendBatch(
      correlations
        .slice(at, at + 250)
        .flatMap((correlation) =>
          Array.from({ length: eventsPerCorrelation }, () => makeEvent(correlation)),
        ),
    );
  }
  await one.query('VACUUM ANALYZE event_store');
  await measure(`read ${eventsPerCorrelation} events by their correlation`, rounds, readCases);
} finally {
  await store.close();
  await Promise.all(clients.map((client) => client.end()));
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.end();
}
