// Holds what many consumers of a group have read, each over connections of its own, until it is killed.

import { RedisStreamTransport } from '@waybill/redis';
import { tellParent, workerArgs } from '@waybill/testing';

export interface ShortLivedArgs {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly claimMs: number;
  /** Names of the consumers. */
  readonly names: readonly string[];
}

const { redisUrl: redis, prefix: streamPrefix, claimMs, names } = workerArgs<ShortLivedArgs>();

await Promise.all(names.map((name) => holdSomething(name)));
await tellParent('holding');

/** Resolves when a consumer has something in hand. */
async function holdSomething(worker: string): Promise<void> {
  const transport = new RedisStreamTransport({ redis, streamPrefix, claimMs, reclaimEveryMs: 50 });
  await transport.connect();
  const subscription = { group: 'stock', patterns: ['item.*'], start: 'earliest' } as const;
  const { promise, resolve } = Promise.withResolvers<void>();
  await transport.subscribe({ ...subscription, maxInFlight: 2, worker }, () => resolve());
  await promise;
}
