// Claims a key in a process of its own, whose clock may be wrong, and holds it until it is killed.

import { tellParent, workerArgs } from '@waybill/testing';

import { PostgresIdempotencyStore } from '../src/idempotency/idempotency-store.ts';
import { openPostgres } from '../src/client/pg-client.ts';

export interface ClaimingWorkerArgs {
  readonly connectionString: string;
  readonly key: string;
  readonly claimMs: number;
}

const { connectionString, key, claimMs } = workerArgs<ClaimingWorkerArgs>();
const client = openPostgres({ connectionString });
const store = new PostgresIdempotencyStore({ client });
const { status } = await store.claim(key, { operation: 'charge', claimMs });
await tellParent('answer', { status });
setInterval(() => {}, 60_000);
