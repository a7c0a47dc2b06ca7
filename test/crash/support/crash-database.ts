import { openPostgres, PostgresEventStore } from '@waybill/postgres';
import type { SqlClient } from '@waybill/postgres';

import { createTestDatabase } from '../../../scripts/services/test-database.ts';

/** A database with the library's tables and two of the application's. */
export interface CrashDatabase {
  readonly url: string;
  readonly client: SqlClient;
  readonly store: PostgresEventStore;
  /** One column of every row, in the order of `orderBy`. */
  column(table: string, column: string, orderBy?: string): Promise<string[]>;
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates the database of one world.
 *
 * The application's tables are `receipts`, what publishers write beside their events, and `movements`,
 * the effects of handlers; neither has a key, so that what is done twice is there twice.
 */
export async function createCrashDatabase(): Promise<CrashDatabase> {
  const { url, drop } = await createTestDatabase();
  const client = openPostgres({ connectionString: url, maxConnections: 2 });
  const store = new PostgresEventStore({ client });
  await store.initialize();
  await client.query(`
    CREATE TABLE receipts (row_id BIGSERIAL, event_id TEXT NOT NULL);
    CREATE TABLE movements (row_id BIGSERIAL, event_id TEXT NOT NULL)`);
  const close = async (): Promise<void> => {
    await client.close();
    await drop();
  };
  return {
    url,
    client,
    store,
    async column(table, column, orderBy = column) {
      const { rows } = await client.query<{ value: string }>(
        `SELECT ${column} AS value FROM ${table} ORDER BY ${orderBy}`,
      );
      return rows.map(({ value }) => value);
    },
    drop: close,
    [Symbol.asyncDispose]: close,
  };
}
