import { afterAll, beforeAll, describe, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../scripts/services/test-database.ts';
import { openPostgres } from './pg-client.ts';
import type { SqlClient } from './sql-client.ts';
import { describeStores } from '../test/store-conformance.ts';

for (const major of [18, 15] as const) {
  describe.skipIf(!hasPostgres(major))(`PostgreSQL ${major}`, () => {
    let database: TestDatabase;
    let client: SqlClient;
    beforeAll(async () => {
      database = await createTestDatabase({ major });
      client = openPostgres({ connectionString: database.url });
    });
    afterAll(async () => {
      await client?.close();
      await database?.drop();
    });

    describeStores(`PostgreSQL ${major}`, () => client, { describe, it });
  });
}
