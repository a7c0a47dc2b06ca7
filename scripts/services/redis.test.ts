import { describe, expect, it } from 'vitest';
import { redis } from './redis.ts';

describe('a Redis server that cannot be had', () => {
  it('is reported at a given URL once the deadline has passed', async () => {
    const service = redis('7.0');

    await expect(service.waitUntilReady('redis://127.0.0.1:1', 100)).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});
