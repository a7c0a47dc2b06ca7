import { afterAll, beforeAll, describe, it } from 'vitest';

import { describeDelivery } from '../test/delivery-conformance.ts';
import { openPglite } from './pglite-client.ts';
import type { SqlClient } from './sql-client.ts';

let client: SqlClient;
beforeAll(async () => {
  client = await openPglite({ memory: true });
});
afterAll(() => client.close());

describeDelivery(
  {
    name: 'PGlite',
    dialect: 'pglite',
    client: () => client,
    another: () => client,
    closeOthers: async () => {},
  },
  { describe, it },
);
