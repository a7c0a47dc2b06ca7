// Claims an idempotency key or a dead letter in a process of its own, whose clock may be wrong, and holds it
// until it is killed.

import { tellParent, workerArgs } from '@waybill/testing';

import { RedisDeadLetterQueue } from '../src/dead-letter-queue.ts';
import { RedisIdempotencyStore } from '../src/idempotency-store.ts';

export type ClaimingWorkerArgs = { readonly url: string; readonly claimMs: number } & (
  | { readonly keyPrefix: string; readonly key: string }
  | { readonly streamPrefix: string; readonly group: string }
);

const args = workerArgs<ClaimingWorkerArgs>();
await tellParent('answer', { status: await claim(args) });
setInterval(() => {}, 60_000);

async function claim({ url: redis, claimMs, ...rest }: ClaimingWorkerArgs): Promise<string> {
  if ('key' in rest) {
    const { keyPrefix, key } = rest;
    const store = new RedisIdempotencyStore({ redis, keyPrefix });
    return (await store.claim(key, { operation: 'charge', claimMs })).status;
  }
  const { streamPrefix, group } = rest;
  const queue = new RedisDeadLetterQueue({ redis, streamPrefix });
  const options = { limit: 10, leaseMs: claimMs, worker: 'another process' };
  return (await queue.claim(group, options)).length === 0 ? 'held' : 'claimed';
}
