import { openPostgres, type SqlClient } from '@quickwms/events';
import { afterAll, beforeAll, describe } from 'vitest';

import {
  createTestDatabase,
  hasPostgres,
  type TestDatabase,
} from '../../scripts/services/test-database.ts';
import { describeNames } from './cases/names.ts';

describe.skipIf(!hasPostgres())('over PostgreSQL', () => {
  let database: TestDatabase;
  let client: SqlClient;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
  });
  afterAll(async () => {
    await client.close();
    await database.drop();
  });

  describeNames(() => client);
});
