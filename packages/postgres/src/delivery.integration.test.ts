import { afterAll, beforeAll, describe, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../scripts/services/test-database.ts';
import { describeDelivery } from '../test/delivery-conformance.ts';
import { openPostgres } from './pg-client.ts';
import type { SqlClient } from './sql-client.ts';

for (const major of [18, 15] as const) {
  describe.skipIf(!hasPostgres(major))(`PostgreSQL ${major}`, () => {
    let database: TestDatabase;
    let client: SqlClient;
    const others: SqlClient[] = [];
    beforeAll(async () => {
      database = await createTestDatabase({ major });
      client = openPostgres({ connectionString: database.url });
    });
    afterAll(async () => {
      await client?.close();
      await database?.drop();
    });

    describeDelivery(
      {
        name: `PostgreSQL ${major}`,
        dialect: 'postgres',
        client: () => client,
        another() {
          const connectionString = database.url;
          const other = openPostgres({ connectionString, maxConnections: 4 });
          others.push(other);
          return other;
        },
        async closeOthers() {
          await Promise.all(others.splice(0).map((other) => other.close()));
        },
      },
      { describe, it },
    );
  });
}
