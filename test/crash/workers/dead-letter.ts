// Records the same failure again and again, at the same time as other workers do.

import { openPostgres, PostgresDeadLetterQueue } from '@waybill/postgres';
import { tellParent, workerArgs } from '@waybill/testing';

import { deadLetterOf } from '../support/dead-letter-of.ts';

export interface DeadLetterArgs {
  readonly url: string;
  readonly times: number;
}

const { url, times } = workerArgs<DeadLetterArgs>();
const client = openPostgres({ connectionString: url, maxConnections: 4 });
const queue = new PostgresDeadLetterQueue({ client });
// The test holds this lock until every worker is waiting for it.
await tellParent('waiting');
await client.query('SELECT pg_advisory_lock_shared(1)');
const ids = await Promise.all(Array.from({ length: times }, () => queue.add(deadLetterOf('e1'))));
await tellParent('recorded', { ids: [...new Set(ids)] });
await client.close();
