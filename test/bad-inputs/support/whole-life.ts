import {
  EventPublisher,
  EventSubscriber,
  IdempotencyHandler,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  type SqlClient,
} from '@quickwms/events';
import { expect } from 'vitest';

import { waitUntil } from '../../../scripts/wait-until.ts';

/** Names that somebody has chosen. */
export interface ChosenNames {
  readonly schema: string;
  readonly table: string;
  /** Name of the group, of the handler and of the idempotent operation. */
  readonly group: string;
}

const qlid = '123456789';

/**
 * Takes one event through every part of the library under the chosen names: migrations, store,
 * outbox, log, inbox, dead letters, redrive, idempotency keys, functions and views.
 */
export async function assertWholeLife(client: SqlClient, names: ChosenNames): Promise<void> {
  const { schema, table, group } = names;
  const within = (name: string): string => `${quoted(schema)}.${quoted(name)}`;
  const eventStore = new PostgresEventStore({ client, schemaName: schema, tableName: table });
  await eventStore.initialize();
  await eventStore.initialize();
  await client.query(`CREATE TABLE ${within('effect')} (item TEXT)`);

  const bus = new PostgresEventBus({ serviceName: 'quickgradez', client, schema });
  const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus, eventStore });
  const subscriber = new EventSubscriber(bus, { group, redrivePollMs: 20 });
  let shelfIsFull = true;
  subscriber.on(
    'item.received',
    async (_event, { tx }) => {
      await tx!.query(`INSERT INTO ${within('effect')} VALUES ($1)`, ['item-1']);
      if (shelfIsFull) throw new Error('the shelf is full');
    },
    { name: group, inbox: true, retry: { maxRetries: 0 } },
  );
  await subscriber.start();

  const event = await publisher.publishItemEvent('item.received', qlid, 'item-1', { sku: 'A' });
  const dead = new PostgresDeadLetterQueue({ client, schema });
  await waitUntil('it is a dead letter', async () => (await dead.list({ group })).length === 1);
  expect(await count(client, within('effect'))).toBe(0);
  shelfIsFull = false;
  await client.query(`UPDATE ${within('event_dlq')} SET status = 'processing'`);
  await waitUntil(
    'it was run again',
    async () => (await dead.list({ status: 'resolved' })).length === 1,
  );

  const operations = new IdempotencyHandler({ database: client, schemaName: schema });
  expect(await operations.executeIdempotent('key', group, () => 'done')).toBe('done');
  expect(await operations.executeIdempotent('key', group, () => 'again')).toBe('done');

  expect(await eventStore.getByQlid(qlid)).toEqual([event]);
  // A transaction that is open anywhere on the server holds readers with a cursor back.
  const read = async () => (await eventStore.readFrom(null)).events.map((stored) => stored.event);
  await waitUntil('a reader may see the event', async () => (await read()).length > 0);
  expect(await read()).toEqual([event]);
  for (const one of [table, 'inbox', 'effect', 'event_log', 'idempotency_keys', 'dlq_summary'])
    expect([one, await count(client, within(one))]).toEqual([one, 1]);
  for (const one of ['recent_events', 'event_type_stats'])
    expect([one, await count(client, within(one))]).toEqual([one, 1]);
  expect(await count(client, within('active_sagas'))).toBe(0);
  const trace = `${within('get_saga_trace')}('${event.correlationId}'::text)`;
  expect(await count(client, trace)).toBe(1);
  expect(await count(client, `${within('get_item_lifecycle')}('${qlid}')`)).toBe(1);
  await client.query(`SELECT ${within('cleanup_expired_idempotency_keys')}()`);
  await waitUntil('the outbox is empty', async () => (await count(client, within('outbox'))) === 0);
  const { groups } = await bus.getStreamInfo('event_log');
  expect(groups.map(({ name }) => name)).toEqual([group]);

  await publisher.shutdown();
  await bus.shutdown();
  await eventStore.close();
}

/** A name in SQL, quoted without the help of what is tested. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Everything that a schema holds, by name. */
export async function namesWithin(client: SqlClient, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ relname: string }>(
    `SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname = $1 ORDER BY relname`,
    [schema],
  );
  return rows.map(({ relname }) => relname);
}

/** The schemas that are not the server's own. */
export async function schemas(client: SqlClient): Promise<string[]> {
  const { rows } = await client.query<{ nspname: string }>(
    `SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`,
    [],
  );
  return rows.map(({ nspname }) => nspname).sort();
}

async function count(client: SqlClient, source: string): Promise<number> {
  const { rows } = await client.query<{ count: bigint }>(`SELECT count(*) FROM ${source}`, []);
  return Number(rows[0]!.count);
}
