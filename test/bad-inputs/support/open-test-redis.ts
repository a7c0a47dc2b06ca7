import { randomUUID } from 'node:crypto';

import { Redis } from 'ioredis';

import { redisUrl } from '../../../scripts/services/test-redis.ts';

/** What a test has to itself on the server that all of them share. */
export interface TestKeys {
  readonly redis: Redis;
  /** What the names of nobody else's keys begin with. */
  readonly streamPrefix: string;
  /** Removes the keys and ends the connection. */
  clear(): Promise<void>;
}

export function openTestRedis(): TestKeys {
  const redis = new Redis(redisUrl());
  const streamPrefix = `bad-inputs:${randomUUID()}:`;
  return {
    redis,
    streamPrefix,
    async clear() {
      for await (const keys of redis.scanStream({ match: `${streamPrefix}*`, count: 1_000 })) {
        if (keys.length > 0) await redis.del(...(keys as string[]));
      }
      await redis.quit();
    },
  };
}
