import { randomUUID } from 'node:crypto';

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasRedis, redisUrl } from '../../../../scripts/services/test-redis.ts';
import { generateIdempotencyKey, IdempotencyHandler } from './idempotency.ts';

describe.skipIf(!hasRedis())('IdempotencyHandler on Redis', () => {
  const keyPrefix = `test:${randomUUID()}:`;
  const key = generateIdempotencyKey({ step: 'reserve_inventory', entityId: 'order-1' });
  let redis: Redis;
  let runs = 0;
  const reserve = async (): Promise<object> => ({ reserved: (runs += 1) });
  beforeAll(() => {
    redis = new Redis(redisUrl());
  });
  afterAll(async () => {
    await redis.del(keyPrefix + key);
    await redis.quit();
  });

  it('runs an operation once, whichever process asks, and tells what it returned', async () => {
    const here = new IdempotencyHandler({ redis, keyPrefix });
    const elsewhere = new IdempotencyHandler({ redis: redisUrl(), keyPrefix });
    expect(await here.isExecuted(key)).toBe(false);
    const first = await here.executeIdempotent(key, 'reserve_inventory', reserve, 3_600);
    const second = await elsewhere.executeIdempotent(key, 'reserve_inventory', reserve, 3_600);
    expect([first, second, runs]).toEqual([{ reserved: 1 }, { reserved: 1 }, 1]);
    expect(await elsewhere.isExecuted(key)).toBe(true);
    expect(await elsewhere.getResult(key)).toEqual({ reserved: 1 });
    elsewhere.close();
    here.close();
    expect(await here.getResult(key)).toEqual({ reserved: 1 });
  });
});
