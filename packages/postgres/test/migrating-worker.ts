// One of several processes that start on one database at once.

import { tellParent, workerArgs } from '@waybill/testing';

import { migrate } from '../src/migrate/migrate.ts';
import { openPostgres } from '../src/client/pg-client.ts';

const { connectionString, schema } = workerArgs<{ connectionString: string; schema: string }>();
const client = openPostgres({ connectionString });
// The test holds this lock until every process is waiting for it.
await client.query('SELECT pg_advisory_lock_shared(1)');
await tellParent('migrated', { applied: await migrate(client, { schema }) });
await client.close();
process.exit(0);
