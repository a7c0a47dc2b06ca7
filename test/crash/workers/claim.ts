// Claims what an operator wants run again, each time it is told to.

import { openPostgres, PostgresDeadLetterQueue } from '@waybill/postgres';
import { tellParent, workerArgs } from '@waybill/testing';

export interface ClaimArgs {
  readonly url: string;
  readonly worker: string;
  readonly leaseMs: number;
}

const { url, worker, leaseMs } = workerArgs<ClaimArgs>();
const client = openPostgres({ connectionString: url });
const queue = new PostgresDeadLetterQueue({ client });
const claims = await queue.claim('stock', { limit: 10, leaseMs, worker });
await tellParent('claimed', { count: claims.length });
await client.close();
