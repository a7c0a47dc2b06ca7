import { systemClock } from '@waybill/core';
import { startFaultProxy } from '@waybill/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { joinable } from './joinable.ts';
import { openPostgres } from './pg-client.ts';
import type { SqlClient, SqlTransaction } from './sql-client.ts';

describe.skipIf(!hasPostgres())('the client over pg', () => {
  let database: TestDatabase;
  let client: SqlClient;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await client.query('CREATE TABLE t (n INT PRIMARY KEY)');
  });
  afterAll(async () => {
    await client?.close();
    await database?.drop();
  });

  const killOthers = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`;

  async function countOf(table: string): Promise<bigint> {
    return (await client.query<{ n: bigint }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]!.n;
  }

  it('answers bigint as BigInt, bytea as bytes, times as dates and jsonb as values', async () => {
    const { rows } = await client.query(
      `SELECT 9007199254740993::int8 AS big, '\\x00ff'::bytea AS bytes, '2026-01-01Z'::timestamptz AS at,
        '{"a": [1]}'::jsonb AS json, $1::int8 AS given, $2::bytea AS sent`,
      [2n ** 63n - 1n, new Uint8Array([1, 2])],
    );
    expect(rows).toEqual([
      {
        big: 9007199254740993n,
        bytes: new Uint8Array([0, 255]),
        at: new Date('2026-01-01T00:00:00Z'),
        json: { a: [1] },
        given: 2n ** 63n - 1n,
        sent: new Uint8Array([1, 2]),
      },
    ]);
  });

  it('leaves the parsers of the application alone, on its own pool too', async () => {
    const pool = new pg.Pool({ connectionString: database.url });
    const own = openPostgres({ pool });
    expect((await own.query('SELECT 1::int8 AS n')).rows).toEqual([{ n: 1n }]);
    expect((await pool.query('SELECT 1::int8 AS n')).rows).toEqual([{ n: '1' }]);
    await own.close();
    expect((await pool.query('SELECT 2::int8 AS n')).rows).toEqual([{ n: '2' }]);
    await pool.end();
  });

  it('sorts errors into those that pass and those that stay', async () => {
    await client.query('INSERT INTO t VALUES (100)');
    const [duplicate, syntax] = await Promise.all(
      ['INSERT INTO t VALUES (100)', 'SELEC 1'].map((text) =>
        client.query(text).catch((error: unknown) => error),
      ),
    );
    expect(duplicate).toMatchObject({
      code: 'STORE_REJECTED',
      retryable: false,
      details: { sqlState: '23505', constraint: 't_pkey' },
    });
    expect(syntax).toMatchObject({ code: 'STORE_REJECTED', details: { sqlState: '42601' } });
    const nowhere = openPostgres({ connectionString: 'postgres://127.0.0.1:1/none' });
    await expect(nowhere.query('SELECT 1')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
    });
    await nowhere.close();
  });

  it('says no password in an error', async () => {
    const url = new URL(database.url);
    url.password = 'not-the-password';
    const stranger = openPostgres({ connectionString: url.href });
    const refusal = (await stranger.query('SELECT 1').catch((error: unknown) => error)) as Error;
    expect(refusal).toMatchObject({ code: 'ACCESS_REFUSED', details: { refusal: '28P01' } });
    expect(refusal.message).not.toContain('not-the-password');
    await stranger.close();
  });

  it('ends statements, idle transactions and waits for locks when asked, and resets the session', async () => {
    const slow = client.run((tx) => tx.query('SELECT pg_sleep(60)'), { statementTimeoutMs: 50 });
    await expect(slow).rejects.toMatchObject({ details: { sqlState: '57014' }, retryable: true });

    const idle = client.run(
      async (tx) => {
        await tx.query('INSERT INTO t VALUES (200)');
        await systemClock.sleep(300);
        await tx.query('SELECT 1');
      },
      { idleTimeoutMs: 50 },
    );
    await expect(idle).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await client.query('SELECT n FROM t WHERE n = 200')).rowCount).toBe(0);

    await client.run(async (tx) => {
      await tx.query('LOCK TABLE t');
      const waiting = client.run((other) => other.query('SELECT * FROM t'), { lockTimeoutMs: 50 });
      await expect(waiting).rejects.toMatchObject({
        details: { sqlState: '55P03' },
        retryable: true,
      });
    });
    const { rows } = await client.query(
      "SELECT current_setting('statement_timeout') || current_setting('lock_timeout') AS limits",
    );
    expect(rows).toEqual([{ limits: '00' }]);
    await expect(client.run(async () => {}, { statementTimeoutMs: 0 })).rejects.toThrow(TypeError);
  });

  it('tells the caller when a failed statement was hidden and everything was rolled back', async () => {
    const hiding = client.run(async (tx) => {
      await tx.query('INSERT INTO t VALUES (300)');
      await tx.query('SELECT 1 / 0').catch(() => {});
    });
    await expect(hiding).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      details: { sqlState: '25P02' },
    });
    expect((await client.query('SELECT n FROM t WHERE n = 300')).rowCount).toBe(0);
  });

  it('survives the loss of every connection: idle, in use, in a transaction and listening', async () => {
    const heard: string[] = [];
    const end = await client.listen('Awkward "channel"', (payload) => heard.push(payload));
    const admin = openPostgres({ connectionString: database.url });
    const sleeping = client.query('SELECT pg_sleep(60)').catch((error: unknown) => error);
    let holding: SqlTransaction | undefined;
    const lost = client
      .run(async (tx) => {
        holding = tx;
        await tx.query('INSERT INTO t VALUES (400)');
        await until(async () => (await countActive(admin)) >= 2);
        await admin.query(killOthers);
        await tx.query('SELECT 1');
      })
      .catch((error: unknown) => error);
    expect(await sleeping).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await lost).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(holding!.query('SELECT 1')).rejects.toMatchObject({ code: 'TX_FINISHED' });

    // The pool may still hold connections whose end it has not noticed.
    let left: number | undefined;
    await until(async () => {
      const found = await client.query('SELECT n FROM t WHERE n = 400').catch(() => undefined);
      left = found?.rowCount;
      return found !== undefined;
    });
    expect(left).toBe(0);
    // It hears that it may have missed something, and then what comes.
    await until(async () => heard.includes(''));
    await until(async () => {
      await admin.query("SELECT pg_notify('Awkward \"channel\"', 'news')");
      return heard.includes('news');
    });
    await end();
    await admin.close();
  });

  it('hears nothing any more once it was told to stop', async () => {
    const heard: string[] = [];
    const listening = openPostgres({ connectionString: database.url });
    const endFirst = await listening.listen('one', (payload) => heard.push(`first ${payload}`));
    const endSecond = await listening.listen('one', (payload) => heard.push(`second ${payload}`));
    await client.query("SELECT pg_notify('one', 'a')");
    await until(async () => heard.length === 2);
    await endFirst();
    await client.query("SELECT pg_notify('one', 'b')");
    await until(async () => heard.length === 3);
    await endSecond();
    await client.query("SELECT pg_notify('one', 'c')");
    expect(heard).toEqual(['first a', 'second a', 'second b']);
    await listening.close();
  });

  it('keeps no connection of a transaction whose end is unknown', async () => {
    const { hostname, port } = new URL(database.url);
    await using proxy = await startFaultProxy({ to: { host: hostname, port: Number(port) } });
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const distant = openPostgres({ connectionString: url.href, maxConnections: 1 });
    const unknown = distant.run(async (tx) => {
      await tx.query('INSERT INTO t VALUES (500)');
      await proxy.switchTo({ kind: 'reset' });
    });
    await expect(unknown).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('outcome is unknown') as string,
    });
    await proxy.switchTo({ kind: 'pass' });
    expect((await distant.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await distant.close();
  });

  it('refuses everything after it was closed, and closes again without complaint', async () => {
    const closed = openPostgres({ connectionString: database.url });
    await closed.query('SELECT 1');
    await closed.close();
    await closed.close();
    for (const call of [
      closed.query('SELECT 1'),
      closed.run(async () => {}),
      closed.listen('x', () => {}),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    }
  });

  it('joins a transaction of pg, and refuses a client that is in none, a pool, and what is no transaction', async () => {
    const pool = new pg.Pool({ connectionString: database.url });
    const raw = await pool.connect();
    expect(() => joinable(raw)).toThrow(/TX_FINISHED.*in no transaction/);
    await raw.query('BEGIN');
    const { rows } = await joinable(raw).query('SELECT $1::int8 AS n', [7]);
    expect(rows).toEqual([{ n: 7n }]);
    const refused = joinable(raw).query('SELECT 1 / 0');
    await expect(refused).rejects.toMatchObject({ details: { sqlState: '22012' } });
    await raw.query('ROLLBACK');
    expect(() => joinable(raw)).toThrow(/TX_FINISHED/);
    for (const foreign of [pool, client, {}, { query: 'no function' }]) {
      expect(() => joinable(foreign)).toThrow(/^TX_FOREIGN/);
    }
    raw.release();
    await pool.end();
  });

  it('asks the server about a client of an older pg, which cannot tell whether it is in a transaction', async () => {
    const pool = new pg.Pool({ connectionString: database.url });
    const raw = await pool.connect();
    const old = new Proxy(raw, {
      get: (target, name) =>
        name === 'getTransactionStatus' ? undefined : Reflect.get(target, name, target),
    });
    const insert = (n: number): Promise<unknown> =>
      joinable(old).query('INSERT INTO t VALUES ($1)', [n]);
    await expect(insert(300)).rejects.toThrow(/^TX_FINISHED.*in no transaction/);
    await raw.query('BEGIN');
    await insert(301);
    await expect(insert(301)).rejects.toMatchObject({ details: { sqlState: '23505' } });
    await expect(insert(302)).rejects.toMatchObject({ details: { sqlState: '25P02' } });
    await raw.query('ROLLBACK');
    await raw.query('BEGIN');
    await insert(303);
    await raw.query('COMMIT');
    await expect(insert(304)).rejects.toThrow(/^TX_FINISHED/);
    const { rows } = await client.query('SELECT n FROM t WHERE n BETWEEN 300 AND 304');
    expect(rows).toEqual([{ n: 303 }]);
    raw.release();
    await pool.end();
  });

  it('takes a password with characters that a URL has to escape', async () => {
    const role = `role_${new URL(database.url).pathname.slice(1)}`;
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p@ss/w#rd?%'`);
    const url = new URL(database.url);
    url.username = role;
    url.password = encodeURIComponent('p@ss/w#rd?%');
    const other = openPostgres({ connectionString: url.href });
    expect((await other.query('SELECT current_user::text AS name')).rows).toEqual([{ name: role }]);
    await other.close();
    await client.query(`DROP ROLE ${role}`);
    expect(await countOf('t')).toBeGreaterThan(0n);
  });
});

async function countActive(client: SqlClient): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database()
     AND pid <> pg_backend_pid() AND (state = 'active' OR state = 'idle in transaction')`,
  );
  return rows[0]!.n;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.now() + 20_000;
  while (!(await condition())) {
    if (systemClock.now() > deadlineMs) throw new Error('waited in vain');
    await systemClock.sleep(10);
  }
}
