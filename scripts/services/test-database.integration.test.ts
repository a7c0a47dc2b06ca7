import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { createTestDatabase, hasPostgres, type PostgresMajor } from './test-database.ts';

describe.for<PostgresMajor>([18, 15])('a test database on PostgreSQL %i', (major) => {
  it.skipIf(!hasPostgres(major))('is empty, on the right server, and gone after drop', async () => {
    const database = await createTestDatabase({ major });
    const client = new Client({ connectionString: database.url });
    client.on('error', () => {}); // drop closes this connection from the server's side
    await client.connect();

    const { rows } = await client.query(
      "SELECT current_setting('server_version_num')::int / 10000 AS major, count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'",
    );
    await database.drop();

    expect(rows).toEqual([{ major, tables: 0 }]);
    const again = new Client({ connectionString: database.url });
    await expect(again.connect()).rejects.toMatchObject({ code: '3D000' });
  });
});
