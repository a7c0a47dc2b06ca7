import { afterAll, beforeAll, describe, it } from 'vitest';

import { openPglite } from './pglite-client.ts';
import type { SqlClient } from './sql-client.ts';
import { describeStores } from '../test/store-conformance.ts';

let client: SqlClient;
beforeAll(async () => {
  client = await openPglite({ memory: true });
});
afterAll(() => client.close());

describeStores('PGlite', () => client, { describe, it });
