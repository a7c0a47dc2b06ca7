import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { redisVersions, type RedisVersion } from '../../../scripts/services/redis-versions.ts';
import { canStartRedis, startTestRedis } from '../../../scripts/services/test-redis.ts';
import { message } from '../test/stream-bench.ts';
import { RedisStreamTransport } from './stream-transport.ts';

const full = {
  code: 'TRANSPORT_UNAVAILABLE',
  retryable: true,
  message: expect.stringContaining('raise maxmemory'),
};

// The oldest version wraps what a command in a script was refused with.
for (const version of ['6.2', '7.0'] as const satisfies RedisVersion[]) {
  const { name } = redisVersions[version];
  describe.skipIf(!(await canStartRedis(version)))(`publishing to ${name} when it is full`, () => {
    it('fails as a whole, streams known or new, and a server that bears a mark still shows it', async () => {
      const server = await startTestRedis({ version });
      const client = new Redis(server.url);
      const transport = new RedisStreamTransport({ redis: client });
      const other = new RedisStreamTransport({ redis: client, streamPrefix: 'others:' });
      try {
        await transport.connect();
        await other.connect();
        const marker = await transport.mark('here');
        await transport.publish([message()], { marker });

        await client.config('SET', 'maxmemory', '1');
        const known = [message('a'), message('b')];
        await expect(transport.publish(known, { marker })).rejects.toMatchObject(full);
        const fresh = [message('a'), message('b', { type: 'order.created' })];
        await expect(transport.publish(fresh)).rejects.toMatchObject(full);
        expect(await transport.mark('there')).toBe('here');
        await expect(other.mark('there')).rejects.toMatchObject(full);
        await expect(transport.publish(known, { marker: 'there' })).rejects.toMatchObject({
          code: 'DESTINATION_CHANGED',
        });

        await client.config('SET', 'maxmemory', '0');
        expect(await transport.publish(fresh, { marker })).toMatchObject([
          { status: 'accepted' },
          { status: 'accepted' },
        ]);
        expect(await client.xlen('waybill:events:item')).toBe(2);
      } finally {
        await transport.close();
        await other.close();
        client.disconnect();
        await server.stop();
      }
    });
  });
}
