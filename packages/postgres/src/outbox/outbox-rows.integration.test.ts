import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  createTestDatabase,
  hasPostgres,
  type TestDatabase,
} from '../../../../scripts/services/test-database.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient, SqlQueryable } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import { OutboxRows, outboxTables } from './outbox-rows.ts';

describe.skipIf(!hasPostgres())('the statements of the outbox', () => {
  let database: TestDatabase;
  let client: SqlClient;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await migrate(client);
    await client.query(
      `INSERT INTO outbox (id, destination, partition, key, event_id, event_type, content_type, body)
       SELECT id, 'orders', 3, 'key-' || id % 100, 'e' || id, 'order.placed', 'text/plain', ''
       FROM generate_series(1, 20000) AS id`,
    );
    await client.query('VACUUM ANALYZE outbox');
  }, 60_000);
  afterAll(async () => {
    await client?.close();
    await database?.drop();
  });

  it('do not read all that waits to find out where something waits', async () => {
    let plan = '';
    const explaining: SqlQueryable = {
      async query(text, params) {
        const { rows } = await client.query(`EXPLAIN ${text}`, params);
        plan = JSON.stringify(rows);
        return { rows: [], rowCount: 0 };
      },
    };
    const rows = new OutboxRows(outboxTables('public'), 1_000);
    const starts = Array.from({ length: 16 }, (_, partition) => ({ partition, fromId: 0n }));
    await rows.waiting(explaining, 'orders', starts);
    expect(plan).toContain('Index Scan using outbox_pkey');
    expect(plan).not.toContain('Seq Scan');
  });
});
