import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { connectLog, LogProbe, message, waiting } from '../../test/log-bench.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import type { PostgresLogTransport } from './log-transport.ts';

const tables = ['event_log', 'event_log_head', 'event_log_group', 'event_log_consumer'];

describe.skipIf(!hasPostgres())('a database that is put back under a running group', () => {
  let database: TestDatabase;
  let client: SqlClient;
  let transport: PostgresLogTransport;
  let observed: Awaited<ReturnType<typeof connectLog>>['observed'];
  const copies: string[] = [];
  const open: { close(): Promise<void> }[] = [];
  beforeEach(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await migrate(client);
    ({ transport, observed } = await connect());
  });
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
    await client.close();
    await database.drop();
    for (const copy of copies.splice(0))
      await admin(`DROP DATABASE IF EXISTS ${copy} WITH (FORCE)`);
  });

  async function connect(): Promise<Awaited<ReturnType<typeof connectLog>>> {
    const own = openPostgres({ connectionString: database.url });
    const connected = await connectLog({ client: own });
    open.push(own, connected.transport);
    return connected;
  }
  const databaseName = (): string => new URL(database.url).pathname.slice(1);
  async function admin(...statements: string[]): Promise<void> {
    const url = new URL(database.url);
    url.pathname = '/postgres';
    const session = new Client({ connectionString: url.href });
    await session.connect();
    try {
      for (const statement of statements) await session.query(statement);
    } finally {
      await session.end();
    }
  }
  const cut = (name: string): string =>
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`;

  /** A copy of the whole database as it is now. Connections are refused while it is made, as a template wants. */
  async function copyDatabase(): Promise<string> {
    const name = databaseName();
    const copy = `${name}_copy_${copies.length}`;
    copies.push(copy);
    await admin(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
    await vi.waitFor(() => admin(cut(name), `CREATE DATABASE ${copy} TEMPLATE ${name}`), waiting);
    await admin(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
    return copy;
  }
  /** Drops the database under everybody, and puts the copy in its place. */
  async function restore(copy: string): Promise<void> {
    const name = databaseName();
    await admin(`DROP DATABASE ${name} WITH (FORCE)`, `CREATE DATABASE ${name} TEMPLATE ${copy}`);
  }
  /** Keeps the log's tables inside the database. @returns A function that puts them back, in one transaction. */
  async function copyTables(): Promise<(then?: string) => Promise<void>> {
    for (const table of tables)
      await client.query(`CREATE TABLE copy_of_${table} AS TABLE ${table}`);
    return async (then = '') => {
      await client.query(
        `BEGIN; ${tables.map((table) => `DELETE FROM ${table}; INSERT INTO ${table} TABLE copy_of_${table};`).join(' ')} ${then} COMMIT`,
      );
    };
  }

  /** Publishes, as a relay does: until it is accepted. */
  async function publish(count: number, through = transport): Promise<string[]> {
    const ids: string[] = [];
    for (let at = 0; at < count; at += 1) {
      const next = message(`key-${at % 40}`);
      await vi.waitFor(async () => {
        expect(await through.publish([next])).toMatchObject([{ status: 'accepted' }]);
      }, waiting);
      ids.push(next.id);
    }
    return ids;
  }
  const missingOf = (probe: LogProbe, ids: readonly string[]): string[] => {
    const got = new Set(probe.ids);
    return ids.filter((id) => !got.has(id));
  };
  const allOf = async (probe: LogProbe, ids: readonly string[]): Promise<void> => {
    await vi.waitFor(() => expect(missingOf(probe, ids)).toEqual([]), waiting);
  };
  const isReported = async (probe: LogProbe, seen = observed): Promise<void> => {
    await vi.waitFor(() => {
      expect(seen).toContainEqual(expect.objectContaining({ code: 'LOG_RESTORED' }));
      expect(probe.troubles).toContainEqual(expect.objectContaining({ code: 'CURSOR_FOREIGN' }));
    }, waiting);
  };
  const isLost = (): unknown =>
    expect.objectContaining({ kind: 'lost', group: 'billing', reason: 'broker-lost-data' });
  /** Each id that came more than once was called one that may be, from the second time on. */
  function expectRepeatsFlagged(probe: LogProbe): void {
    const seen = new Set<string>();
    for (const { message: sent, mayBeRepeated } of probe.deliveries) {
      if (seen.has(sent.id)) expect([sent.id, mayBeRepeated]).toEqual([sent.id, true]);
      seen.add(sent.id);
    }
  }

  it('hands out everything that is committed after it was restored, and says what is gone', async () => {
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await allOf(probe, await publish(100));
    const copy = await copyDatabase();
    await allOf(probe, await publish(100));

    await restore(copy);
    const after = await publish(300);
    await allOf(probe, after);
    await isReported(probe);
    expect(observed).toContainEqual(isLost());
    expectRepeatsFlagged(probe);
  });

  it('hands it out also where a part of the events was not finished when the copy was made', async () => {
    const probe = await LogProbe.subscribe(transport, 'billing');
    const before = await publish(60);
    await probe.received(60);
    const copy = await copyDatabase();
    for (const delivery of probe.deliveries.slice()) delivery.settle();
    const fresh = await publish(60);
    await allOf(probe, fresh);

    await restore(copy);
    const after = await publish(150);
    const settling = setInterval(() => {
      for (const delivery of probe.deliveries) delivery.settle();
    }, 10);
    try {
      await allOf(probe, after);
      await vi.waitFor(() => {
        const again = probe.ids.slice(before.length + fresh.length);
        expect(before.filter((id) => !again.includes(id))).toEqual([]);
      }, waiting);
    } finally {
      clearInterval(settling);
    }
    await isReported(probe);
    expectRepeatsFlagged(probe);
  });

  it('hands it out where the restored log was longer again before anybody looked', async () => {
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await allOf(probe, await publish(50));
    const putBack = await copyTables();
    await allOf(probe, await publish(50));
    const next = await connect();

    // Everything in one moment: put back, and 200 others at the offsets of those that are gone.
    await putBack(`
      WITH fresh AS (
        INSERT INTO event_log (partition, log_offset, key, event_id, event_type, content_type, body)
        SELECT h.partition, h.next_offset + n, 'k', 'after-' || h.partition || '-' || n, 'order.placed', 'application/json', '{}'
        FROM event_log_head AS h, generate_series(0, 19) AS n)
      SELECT 1;
      UPDATE event_log_head SET next_offset = next_offset + 20;`);
    const after = Array.from(
      { length: 16 * 20 },
      (_, at) => `after-${at % 16}-${Math.floor(at / 16)}`,
    );
    await publish(1, next.transport);
    await allOf(probe, after);
    await isReported(probe);
    expectRepeatsFlagged(probe);
  });

  it('hands it out where the copy is put back while rows are in hand', async () => {
    const probe = await LogProbe.subscribe(transport, 'billing', { maxInFlight: 1_000 });
    await publish(20);
    await probe.received(20);
    const putBack = await copyTables();
    await publish(20);
    await probe.received(40);
    await putBack();
    for (const delivery of probe.deliveries.slice()) delivery.settle();
    const after = await publish(100);
    await allOf(probe, after);
    await isReported(probe);
    expectRepeatsFlagged(probe);
  });

  it('waits while its tables are missing, as they are in the middle of a restore', async () => {
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await allOf(probe, await publish(20));
    const putBack = await copyTables();
    await allOf(probe, await publish(20));
    await client.query('ALTER TABLE event_log RENAME TO event_log_away');
    await client.query('ALTER TABLE event_log_group RENAME TO event_log_group_away');
    await probe.inTrouble('STORE_REJECTED');
    await client.query('ALTER TABLE event_log_away RENAME TO event_log');
    await client.query('ALTER TABLE event_log_group_away RENAME TO event_log_group');
    await putBack();
    await allOf(probe, await publish(100));
    await isReported(probe);
    expectRepeatsFlagged(probe);
  });

  it('begins anew in a database that was wiped, with all that was published since', async () => {
    for (const start of ['earliest', 'latest'] as const) {
      const probe = await LogProbe.subscribe(transport, `from-${start}`, { start, settle: true });
      await allOf(probe, await publish(30));
      await client.query(
        `BEGIN; TRUNCATE event_log, event_log_group, event_log_consumer; UPDATE event_log_head SET next_offset = 0; COMMIT`,
      );
      const after = await publish(60);
      await allOf(probe, after);
      await isReported(probe);
      expect(missingOf(probe, after)).toEqual([]);
      await probe.consumer.close();
    }
  });

  it('begins anew in a database that was made again, empty and migrated', async () => {
    const probe = await LogProbe.subscribe(transport, 'billing', { start: 'latest', settle: true });
    await allOf(probe, await publish(30));
    const name = databaseName();
    await admin(`DROP DATABASE ${name} WITH (FORCE)`, `CREATE DATABASE ${name}`);
    const fresh = openPostgres({ connectionString: database.url });
    await migrate(fresh);
    await fresh.close();
    const after = await publish(100);
    await allOf(probe, after);
    await isReported(probe);
    expect(observed).toContainEqual(isLost());
  });

  it('goes to the one that stands by as well as to its former owner', async () => {
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    const other = await connect();
    const standby = await LogProbe.subscribe(other.transport, 'billing', { settle: true });
    await vi.waitFor(async () => {
      await publish(10);
      expect(probe.deliveries.length + standby.deliveries.length).toBeGreaterThan(9);
    }, waiting);
    const copy = await copyDatabase();
    await publish(50);
    await restore(copy);
    const after = await publish(150);
    await vi.waitFor(() => {
      const got = new Set([...probe.ids, ...standby.ids]);
      expect(after.filter((id) => !got.has(id))).toEqual([]);
    }, waiting);
  });

  it('lets no group skip what came after an emptied log has grown again, and says what to do', async () => {
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await allOf(probe, await publish(40));
    await client.query(
      `BEGIN; TRUNCATE event_log; UPDATE event_log_head SET next_offset = 0; COMMIT`,
    );
    await probe.inTrouble('CURSOR_FOREIGN');
    const after = await publish(200);
    await vi.waitFor(
      () => expect(String(probe.troubles.at(-1))).toContain('has grown again'),
      waiting,
    );
    await client.query(`DELETE FROM event_log_group WHERE group_name = 'billing'`);
    await allOf(probe, after);
  });

  it('gives a broadcast everything that is committed after it was restored', async () => {
    const probe = await LogProbe.subscribe(transport, null, { settle: true });
    await allOf(probe, await publish(60));
    const copy = await copyDatabase();
    await allOf(probe, await publish(60));
    await restore(copy);
    await allOf(probe, await publish(150));
    await isReported(probe);
    expect(new Set(probe.ids).size).toBe(probe.ids.length);
  });
});
