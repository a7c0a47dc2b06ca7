import { afterAll, beforeAll } from 'vitest';

import { describePruning } from '../../test/prune-cases.ts';
import { openPglite } from '../client/pglite-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';

/** A busy machine takes long to start an embedded database. */
const embeddedStartMs = 60_000;
let client: SqlClient;
beforeAll(async () => {
  client = await openPglite({ memory: true });
  await migrate(client);
}, embeddedStartMs);
afterAll(() => client.close());

describePruning('an embedded database', () => client);
