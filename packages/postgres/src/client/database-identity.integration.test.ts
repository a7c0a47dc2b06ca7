import { randomIds, sameDatabase } from '@waybill/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { openPostgres } from './pg-client.ts';
import type { SqlClient } from './sql-client.ts';

const role = `waybill_test_${randomIds().slice(0, 8)}`;

describe.skipIf(!hasPostgres() || !hasPostgres(15))('which database a client is on', () => {
  const databases: TestDatabase[] = [];
  const clients: SqlClient[] = [];

  async function database(major: 15 | 18 = 18): Promise<TestDatabase> {
    const made = await createTestDatabase({ major });
    databases.push(made);
    return made;
  }
  function open(url: string): SqlClient {
    const client = openPostgres({ connectionString: url });
    clients.push(client);
    return client;
  }
  let stock: TestDatabase;
  beforeAll(async () => {
    stock = await database();
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    for (const each of databases) await each.drop();
  });

  it('is the same for two clients of one database', async () => {
    expect(await sameDatabase(open(stock.url), open(stock.url))).toBe('same');
  });

  it('is the same for a role that may do next to nothing', async () => {
    const owner = open(stock.url);
    await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    try {
      const url = new URL(stock.url);
      [url.username, url.password] = [role, 'secret'];
      const other = openPostgres({ connectionString: url.href });
      expect(await sameDatabase(owner, other)).toBe('same');
      await other.close();
    } finally {
      await owner.query(`DROP ROLE ${role}`);
    }
  });

  it('differs between two databases of one server', async () => {
    const other = await database();
    expect(await sameDatabase(open(stock.url), open(other.url))).toBe('different');
  });

  it('differs between two servers', async () => {
    const older = await database(15);
    expect(await sameDatabase(open(stock.url), open(older.url))).toBe('different');
  });

  it('stays the same while a transaction is open, and is the same within it', async () => {
    const client = open(stock.url);
    const before = await client.identity!();
    await client.run(async (tx) => {
      await tx.query('SELECT 1');
      expect(await client.identity!()).toBe(before);
    });
  });
});
