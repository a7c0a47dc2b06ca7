import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { message, StreamBench, waiting } from '../test/stream-bench.ts';

describe.skipIf(!hasRedis())('a connection whose database is refused', () => {
  let bench: StreamBench;
  let third: Redis;
  beforeEach(() => {
    bench = new StreamBench();
    third = new Redis(redisUrl(), { db: 3 });
  });
  afterEach(async () => {
    await third.del(bench.stream, `${bench.prefix}:streams`, `${bench.prefix}:open-groups`);
    third.disconnect();
    await bench.close();
  });

  it('never goes on in another one, and is used again once it may be', async () => {
    await using user = await bench.user('~*', '&*', '+@all');
    const url = new URL(user.url);
    const name = url.username;
    url.pathname = '/3';
    const transport = await bench.connect({ redis: url.href, timeoutMs: 500 });
    expect(await transport.publish([message()])).toMatchObject([{ status: 'accepted' }]);

    await bench.redis.call('ACL', 'SETUSER', name, '-select');
    await bench.redis.call('CLIENT', 'KILL', 'USER', name);
    const refused = { code: 'ACCESS_REFUSED', retryable: true, details: { refusal: 'NOPERM' } };
    await vi.waitFor(async () => {
      await expect(transport.publish([message()])).rejects.toMatchObject(refused);
    }, waiting);
    for (let tries = 0; tries < 5; tries += 1) {
      await expect(transport.publish([message()])).rejects.toMatchObject({ retryable: true });
    }
    expect(await bench.redis.exists(bench.stream), 'in database 0').toBe(0);

    await bench.redis.call('ACL', 'SETUSER', name, '+select');
    await vi.waitFor(async () => {
      expect(await transport.publish([message()])).toMatchObject([{ status: 'accepted' }]);
    }, waiting);
    expect(await third.xlen(bench.stream)).toBe(2);
    await transport.close();
  });
});
