import { PGlite } from '@electric-sql/pglite';
import { sameDatabase } from '@waybill/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { joinable } from './joinable.ts';
import { openPglite } from './pglite-client.ts';
import type { SqlClient } from './sql-client.ts';

describe('the client over PGlite', () => {
  let database: PGlite;
  let client: SqlClient;
  beforeAll(async () => {
    database = await PGlite.create('memory://');
    client = await openPglite({ database });
    await client.query('CREATE TABLE t (n INT PRIMARY KEY)');
  });
  afterAll(() => client.close());

  it('answers the same types as the one over pg', async () => {
    const { rows } = await client.query(
      `SELECT 1::int8 AS small, 9007199254740993::int8 AS big, '\\x00ff'::bytea AS bytes,
        '2026-01-01Z'::timestamptz AS at, '{"a": [1]}'::jsonb AS json, $1::int8 AS given, $2::bytea AS sent`,
      [2n ** 63n - 1n, new Uint8Array([1, 2])],
    );
    expect(rows).toEqual([
      {
        small: 1n,
        big: 9007199254740993n,
        bytes: new Uint8Array([0, 255]),
        at: new Date('2026-01-01T00:00:00Z'),
        json: { a: [1] },
        given: 2n ** 63n - 1n,
        sent: new Uint8Array([1, 2]),
      },
    ]);
    expect((await client.query('INSERT INTO t VALUES (1), (2)')).rowCount).toBe(2);
    expect((await client.query('SELECT * FROM t')).rowCount).toBe(2);
    expect((await client.query('UPDATE t SET n = n + 10 WHERE n < $1', [2])).rowCount).toBe(1);
  });

  it('is known by its database, also inside a transaction, and apart from every other one', async () => {
    const again = await openPglite({ database });
    const other = await openPglite({ memory: true });
    expect(await sameDatabase(client, again)).toBe('same');
    expect(await sameDatabase(client, other)).toBe('different');
    await client.run(async () => expect(await sameDatabase(client, again)).toBe('same'));
    await other.close();
  });

  it('reports a duplicate by its constraint', async () => {
    const twice = client.query('INSERT INTO t VALUES (50), (50)');
    await expect(twice).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      details: { sqlState: '23505', constraint: 't_pkey' },
    });
  });

  it('refuses a call that would wait for the transaction it is made in, however deep', async () => {
    await client.run(async (tx) => {
      await tx.query('SELECT 1');
      const deep = async (): Promise<unknown> => {
        await Promise.resolve();
        return await client.query('SELECT 1');
      };
      await expect(deep()).rejects.toMatchObject({ code: 'TX_SELF_WAIT' });
      await expect(client.run(async () => {})).rejects.toMatchObject({ code: 'TX_SELF_WAIT' });
      await expect(client.listen('x', () => {})).rejects.toMatchObject({ code: 'TX_SELF_WAIT' });
      await expect(client.close()).rejects.toMatchObject({ code: 'TX_SELF_WAIT' });
    });
    await client.query('SELECT 1');
  });

  it('lets what was started in a transaction go on after its end', async () => {
    let later: Promise<unknown> | undefined;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    await client.run(async () => {
      later = ended.then(() => client.query('SELECT 1 AS one'));
    });
    end();
    expect(await later).toMatchObject({ rows: [{ one: 1 }] });
  });

  it('makes calls from outside wait for the transaction, in their order', async () => {
    const order: string[] = [];
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const running = client.run(async (tx) => {
      enter();
      await released;
      await tx.query('INSERT INTO t VALUES (60)');
      order.push('transaction');
    });
    await entered;
    const waiting = [1, 2].map(async (number) => {
      await client.query('SELECT 1');
      order.push(`query ${number}`);
    });
    release();
    await Promise.all([running, ...waiting]);
    expect(order).toEqual(['transaction', 'query 1', 'query 2']);
  });

  it('gives up waiting for its turn when aborted, and never runs then', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const running = client.run(() => released);
    const controller = new AbortController();
    let ran = false;
    const waiting = client.run(async () => void (ran = true), { signal: controller.signal });
    controller.abort(new Error('too long'));
    await expect(waiting).rejects.toThrow('too long');
    release();
    await running;
    await client.query('SELECT 1');
    expect(ran).toBe(false);
  });

  it('is not blocked by work that was aborted and hangs', async () => {
    const controller = new AbortController();
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: hanging, resolve: wake } = Promise.withResolvers<void>();
    const stuck = client
      .run(
        async (tx) => {
          await tx.query('INSERT INTO t VALUES (70)');
          enter();
          await hanging;
        },
        { signal: controller.signal },
      )
      .catch((error: unknown) => error);
    await entered;
    controller.abort(new Error('took too long'));
    const { rowCount } = await client.query('SELECT * FROM t WHERE n = 70');
    expect(rowCount).toBe(0);
    wake();
    expect(await stuck).toMatchObject({ message: 'took too long' });
  });

  it('hears notifications on channels with awkward names', async () => {
    const heard: string[] = [];
    const end = await client.listen('Awkward "channel"', (payload) => heard.push(payload));
    await client.query("SELECT pg_notify('Awkward \"channel\"', 'news')");
    await vi.waitFor(() => expect(heard).toEqual(['news']), { timeout: 15_000 });
    await end();
    await client.query("SELECT pg_notify('Awkward \"channel\"', 'more')");
    await client.query('SELECT 1');
    expect(heard).toEqual(['news']);
  });

  it("joins PGlite's own transaction while it is open, and refuses the database itself", async () => {
    let ended: object | undefined;
    await database.transaction(async (tx) => {
      ended = tx;
      const { rows } = await joinable(tx).query('SELECT 7::int8 AS n', []);
      expect(rows).toEqual([{ n: 7n }]);
    });
    expect(() => joinable(ended!)).toThrow(/^TX_FINISHED/);
    expect(() => joinable(database)).toThrow(/^TX_FOREIGN/);
    expect(() => joinable(client)).toThrow(/^TX_FOREIGN/);
  });
});
