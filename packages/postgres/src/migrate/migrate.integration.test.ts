import { readFile } from 'node:fs/promises';

import { systemClock } from '@waybill/core';
import type { EventPage } from '@waybill/core';
import { spawnWorker } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { PostgresMajor, TestDatabase } from '../../../../scripts/services/test-database.ts';
import { dumpSchema } from '../../test/dump-schema.ts';
import { engineSchema } from '../../test/engine-schema.ts';
import { PostgresEventStore } from '../store/event-store.ts';
import { migrate } from './migrate.ts';
import { engineMigrations } from './migration-files.ts';
import { openPostgres } from '../client/pg-client.ts';
import { printMigrations } from './print-migrations.ts';
import { quoteIdentifier } from '../client/quote-identifier.ts';
import type { SqlClient } from '../client/sql-client.ts';

const printedTables = new URL('../../test/printed-tables.sql', import.meta.url);
const migratingWorker = new URL('../../test/migrating-worker.ts', import.meta.url);
const warehouse = {
  name: 'quickwms',
  directory: new URL('../../../quickwms-events/migrations/', import.meta.url),
};
const sets = [engineMigrations, warehouse];
const all = [
  'engine/0001_engine',
  'engine/0002_delivery',
  'engine/0003_ports',
  'engine/0004_handovers',
];

for (const major of [18, 15] as const) {
  describe.skipIf(!hasPostgres(major))(`migrations on PostgreSQL ${major}`, () =>
    describeOn(major),
  );
}

function describeOn(major: PostgresMajor): void {
  let database: TestDatabase;
  let client: SqlClient;
  beforeEach(async () => {
    database = await createTestDatabase({ major });
    client = openPostgres({ connectionString: database.url });
  });
  afterEach(async () => {
    await client?.close();
    await database?.drop();
  });

  /** A role of this test alone, which may do what is granted to it. */
  async function withRole(work: (asRole: SqlClient, role: string) => Promise<void>): Promise<void> {
    const role = `role_${new URL(database.url).pathname.slice(1)}`;
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'secret';
    const asRole = openPostgres({ connectionString: url.href });
    try {
      await work(asRole, role);
    } finally {
      await asRole.close();
      await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  }

  async function fillPrinted(): Promise<void> {
    await client.query(await readFile(printedTables, 'utf8'));
  }

  it.each([1, 2, 3])(
    'lets eight processes start on an empty database at once, round %i',
    async () => {
      const workers = Array.from({ length: 8 }, () =>
        spawnWorker(migratingWorker, { connectionString: database.url, schema: 'Eight at once' }),
      );
      try {
        await client.run(async (tx) => {
          await tx.query('SELECT pg_advisory_xact_lock(1)');
          await waitFor(
            client,
            // Other tests wait for locks in databases of their own.
            `SELECT count(*) = 8 AS done FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
          );
        });
        const outcomes = await Promise.all(
          workers.map((worker) => worker.message<{ applied: string[] }>('migrated')),
        );
        const applied = outcomes.map((outcome) => outcome.applied).filter((one) => one.length > 0);
        expect(applied).toEqual([all]);
        await Promise.all(workers.map((worker) => worker.finished()));
        expect(workers.map((worker) => worker.stderr).join('')).toBe('');
      } finally {
        await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
      }
      const { rows } = await client.query(
        'SELECT name FROM "Eight at once".waybill_migrations ORDER BY 1',
      );
      expect(rows).toEqual([
        { name: '0001_engine' },
        { name: '0002_delivery' },
        { name: '0003_ports' },
        { name: '0004_handovers' },
      ]);
    },
  );

  describe('in a database made from the printed tables', () => {
    it('upgrades in place to the very schema that an empty database gets', async () => {
      await fillPrinted();
      expect(await migrate(client, { sets })).toEqual([...all, 'quickwms/0001_quickwms']);
      expect(await migrate(client, { sets })).toEqual([]);
      const upgraded = await dumpSchema(client, 'public');

      await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      await migrate(client, { sets });
      expect(upgraded).toBe(await dumpSchema(client, 'public'));
    });

    it('keeps every row of every table, and reads them as events', async () => {
      await fillPrinted();
      await migrate(client, { sets });
      const store = new PostgresEventStore({ client, profile: warehouseProfile });
      expect(await store.getCount()).toBe(49);
      const id = '00000000-0000-4000-8000-000000000007';
      expect(await store.getById(id)).toEqual({
        id,
        source: 'quickgradez',
        specversion: '1.0',
        type: 'item.graded',
        datacontenttype: 'application/json',
        time: '2026-02-03T04:05:06.789Z',
        subject: 'item-7',
        correlationId: '11111111-1111-4111-8111-111111111111',
        causationId: '22222222-2222-4222-8222-222222222222',
        userId: 'user-1',
        qlid: '000000007',
        warehouseId: 'wh-1',
        version: 2,
        data: { grade: 'B', n: 7 },
        metadata: { retryCount: 0, environment: 'production' },
      });
      const kept = await client.query(`
        SELECT (SELECT row_to_json(s)::text FROM saga_state s) AS saga,
               (SELECT row_to_json(d)::text FROM event_dlq d) AS dead_letter,
               (SELECT count(*)::int FROM idempotency_keys) AS keys`);
      expect(kept.rows[0]).toMatchObject({
        saga: expect.stringContaining('"context_data":{"orderId": "o-1"}') as string,
        dead_letter: expect.stringContaining('scanner on fire') as string,
        keys: 3,
      });
    });

    it('goes on with the sequence, knows old events again and takes ids that are no UUIDs', async () => {
      await fillPrinted();
      await migrate(client, { sets });
      const store = new PostgresEventStore({ client, profile: warehouseProfile });
      const old = (await store.getById('00000000-0000-4000-8000-000000000007'))!;
      expect(await store.append(old)).toBe(7n);
      // Number 50 was used and deleted; the repeated append above has drawn one too.
      expect(await store.append({ ...old, id: 'order-1/item 7' })).toBe(52n);
      const page = await readAll(store);
      expect(page.events.map(({ position }) => position)).toEqual([
        ...Array.from({ length: 49 }, (_, index) => BigInt(index + 1)),
        52n,
      ]);
    });

    it('answers the printed statements', async () => {
      await fillPrinted();
      await migrate(client, { sets });
      await client.query('UPDATE event_store SET created_at = NOW() WHERE sequence_number < 4');
      const count = async (statement: string): Promise<number> =>
        (await client.query(statement)).rowCount;
      const correlation = '11111111-1111-4111-8111-111111111111';
      expect(await count("SELECT * FROM get_item_lifecycle('000000007')")).toBe(1);
      expect(await count(`SELECT * FROM get_saga_trace('${correlation}')`)).toBe(49);
      expect(await count(`SELECT * FROM get_saga_trace('${correlation}'::uuid)`)).toBe(49);
      expect(await count('SELECT * FROM recent_events')).toBe(3);
      expect(await count('SELECT * FROM event_type_stats')).toBe(1);
      expect(await count('SELECT * FROM active_sagas')).toBe(1);
      expect(await count('SELECT * FROM dlq_summary')).toBe(1);
      const cleaned = await client.query('SELECT cleanup_expired_idempotency_keys() AS deleted');
      expect(cleaned.rows).toEqual([{ deleted: 1 }]);
    });

    it('gives back what was granted on views, functions and the sequence, and no more', async () => {
      await fillPrinted();
      await withRole(async (asRole, role) => {
        await client.query(`
          GRANT SELECT ON recent_events, active_sagas, dlq_summary TO ${role};
          GRANT SELECT ON SEQUENCE event_store_sequence_number_seq TO ${role};
          REVOKE ALL ON FUNCTION get_saga_trace(UUID), get_saga_trace(UUID, INTEGER) FROM PUBLIC;
          REVOKE ALL ON FUNCTION get_item_lifecycle(VARCHAR) FROM PUBLIC;
          GRANT EXECUTE ON FUNCTION get_item_lifecycle(VARCHAR) TO ${role};
          GRANT SELECT ON event_store TO ${role}`);
        await migrate(client, { sets });
        await asRole.query('SELECT count(*) FROM recent_events, active_sagas, dlq_summary');
        await asRole.query('SELECT last_value FROM event_store_sequence_number_seq');
        await asRole.query("SELECT * FROM get_item_lifecycle('000000007')");
        for (const refused of [
          'SELECT * FROM event_type_stats',
          "SELECT * FROM get_saga_trace('x')",
          `SELECT * FROM get_saga_trace('${'1'.repeat(8)}-1111-4111-8111-111111111111'::uuid)`,
        ]) {
          await expect(asRole.query(refused)).rejects.toMatchObject({
            details: { refusal: '42501' },
          });
        }
      });
    });

    it('stops by name before views and keys of others, and leaves everything as it was', async () => {
      await fillPrinted();
      await client.query(`
        CREATE SCHEMA reports;
        CREATE VIEW reports.graded AS SELECT event_id FROM event_store;
        CREATE TABLE reports.audits (event_id UUID REFERENCES event_store (event_id))`);
      const before = await dumpSchema(client, 'public');
      await expect(migrate(client, { sets })).rejects.toMatchObject({
        code: 'MIGRATION_BLOCKED',
        details: {
          migration: 'engine/0001_engine',
          objects: ['reports.graded', 'reports.audits.audits_event_id_fkey'],
        },
      });
      expect(await dumpSchema(client, 'public')).toBe(before);

      await client.query('DROP SCHEMA reports CASCADE');
      await client.query('CREATE VIEW my_recent AS SELECT event_type FROM recent_events');
      await expect(migrate(client, { sets })).rejects.toMatchObject({
        code: 'MIGRATION_BLOCKED',
        details: { objects: ['public.my_recent'] },
      });

      await client.query('DROP VIEW my_recent');
      // A view on columns that stay as they are is in nobody's way.
      await client.query('CREATE VIEW types AS SELECT DISTINCT event_type FROM event_store');
      await migrate(client, { sets });
    });
  });

  it('leaves what schema.sql shows; scripts/write-schema.ts writes it', async (context) => {
    context.skip(major !== 18, 'older servers print some expressions in another way');
    const written = await readFile(new URL('../../schema.sql', import.meta.url), 'utf8');
    expect(await engineSchema(client)).toBe(written);
  });

  it('refuses a schema that a newer version has migrated, and says what to do', async () => {
    await migrate(client);
    await client.query(
      "INSERT INTO waybill_migrations (set, number, name, checksum) VALUES ('engine', 9999, '9999_future', 'x')",
    );
    const store = new PostgresEventStore({ client });
    await expect(store.initialize()).rejects.toMatchObject({
      code: 'SCHEMA_NEWER',
      details: { database: 9999, code: all.length },
      message: expect.stringMatching(/"engine".*upgrade this service/) as string,
    });
  });

  it('refuses a migration that was changed after it had been applied', async () => {
    await migrate(client);
    await client.query("UPDATE waybill_migrations SET checksum = 'other' WHERE number = 1");
    await expect(migrate(client)).rejects.toMatchObject({
      code: 'MIGRATION_BLOCKED',
      details: { migration: 'engine/0001_engine' },
    });
  });

  it('works for a role that may not change the schema, once the schema is there', async () => {
    await withRole(async (asRole, role) => {
      const store = new PostgresEventStore({ client: asRole });
      await expect(store.initialize()).rejects.toMatchObject({
        code: 'SCHEMA_OUTDATED',
        details: { database: 0, code: all.length },
      });
      await migrate(client);
      await client.query(`
        GRANT SELECT ON waybill_migrations TO ${role};
        GRANT SELECT, INSERT ON event_store TO ${role};
        GRANT SELECT ON SEQUENCE event_store_sequence_number_seq TO ${role}`);
      await store.initialize();
      await store.append(event('1'));
      const page = await readAll(store);
      expect(page.events.map(({ event: { id } }) => id)).toEqual(['1']);
    });
  });

  it('prints one script that leaves nothing to do, also over the printed tables', async () => {
    await client.query(await printMigrations({ schema: 'by hand', sets }));
    expect(await migrate(client, { schema: 'by hand', sets })).toEqual([]);
    await fillPrinted();
    await client.query(await printMigrations({ sets }));
    expect(await migrate(client, { sets })).toEqual([]);
  });

  it('tells a schema with another event table from one that is up to date', async () => {
    await migrate(client, { eventTable: 'facts' });
    await expect(migrate(client)).rejects.toMatchObject({
      code: 'MIGRATION_BLOCKED',
      details: { objects: ['"public"."event_store"'] },
    });
  });

  it('draws every sequence number itself', async () => {
    await migrate(client);
    const insert = `INSERT INTO event_store (sequence_number, event_id, event_type, source, data)
      VALUES (nextval('event_store_sequence_number_seq'), 'e', 't', 's', '{}')`;
    await expect(client.query(insert)).rejects.toMatchObject({ details: { sqlState: '428C9' } });
  });

  describe('with awkward names', () => {
    it.each([
      ['that would be SQL', 'a"; DROP SCHEMA public CASCADE; --'],
      ['with quotes, a dot, upper case and a backslash', `It's a "Schema".x \\ y`],
      ['that is a reserved word', 'select'],
      ['of 63 bytes in two-byte letters', 'ü'.repeat(31) + 'x'],
    ])('takes a schema %s', async (_, schema) => {
      await client.query('CREATE TABLE witness (n INT)');
      const store = new PostgresEventStore({ client, schemaName: schema, tableName: schema });
      await store.initialize();
      const position = await store.append(event('1'));
      expect(await store.getLatestSequence()).toBe(position);
      expect((await readAll(store)).events).toHaveLength(1);
      const quoted = quoteIdentifier(schema);
      expect((await client.query(`SELECT * FROM ${quoted}.recent_events`)).rowCount).toBe(1);
      expect((await client.query(`SELECT * FROM ${quoted}.get_saga_trace('c')`)).rowCount).toBe(1);
      expect((await client.query('SELECT * FROM witness')).rowCount).toBe(0);
    });

    it.each([
      ['that is empty', ''],
      ['of 64 bytes', 'x'.repeat(64)],
      ['of 63 characters and 64 bytes', 'x'.repeat(62) + 'ü'],
      ['with a NUL', 'a\0b'],
    ])('refuses a schema or table %s when the store is made', (_, name) => {
      expect(() => new PostgresEventStore({ client, schemaName: name })).toThrow(TypeError);
      expect(() => new PostgresEventStore({ client, tableName: name })).toThrow(TypeError);
    });
  });
}

const warehouseProfile = {
  name: 'warehouse',
  attributes: [
    { name: 'qlid', wire: 'qlid', column: 'qlid', validate: () => undefined },
    { name: 'warehouseId', wire: 'warehouseid', column: 'warehouse_id', validate: () => undefined },
  ],
};

function event(id: string): Parameters<PostgresEventStore['append']>[0] {
  return {
    id,
    source: 'test',
    specversion: '1.0',
    type: 'thing.happened',
    datacontenttype: 'application/json',
    time: new Date(systemClock.now()).toISOString(),
    correlationId: 'c',
    version: 1,
    data: {},
  };
}

async function waitFor(client: SqlClient, statement: string): Promise<void> {
  await waitUntil(async () => (await client.query<{ done: boolean }>(statement)).rows[0]!.done);
}

/** A writer in any database of a shared server can hold readers back for a while. */
async function readAll(store: PostgresEventStore): Promise<EventPage> {
  const count = await store.getCount();
  let page: EventPage | undefined;
  await waitUntil(async () => {
    page = await store.readFrom(null);
    return page.events.length >= count;
  });
  return page!;
}

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.now() + 40_000;
  while (!(await condition())) {
    if (systemClock.now() > deadlineMs) throw new Error('waited in vain');
    await systemClock.sleep(20);
  }
}
