import type { Redis } from 'ioredis';

/** Removes what a test has left on a server that others use as well. */
export async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
    if (keys.length > 0) await redis.del(...(keys as string[]));
  }
}
