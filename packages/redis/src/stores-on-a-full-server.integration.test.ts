import type { IdempotencyClaim } from '@waybill/core/adapter';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { redisVersions, type RedisVersion } from '../../../scripts/services/redis-versions.ts';
import { canStartRedis, startTestRedis } from '../../../scripts/services/test-redis.ts';
import { RedisDeadLetterQueue } from './dead-letter-queue.ts';
import { RedisIdempotencyStore } from './idempotency-store.ts';

const charge = { operation: 'charge', claimMs: 60_000 };
const full = {
  code: 'TRANSPORT_UNAVAILABLE',
  retryable: true,
  message: expect.stringContaining('raise maxmemory'),
};
const unreadable = {
  group: 'billing',
  handler: '',
  coordinates: { transport: 'redis', stream: 'orders', position: '1-0' },
  message: {
    id: 'broken-1',
    type: 'order.placed',
    key: 'order-1',
    contentType: 'application/json',
    body: '{"broken',
  },
  failureReason: 'unexpected end of JSON input',
  failureType: 'permanent',
  totalAttempts: 1,
  fingerprint: 'f-1',
} as const;

// The oldest version wraps what a command in a script was refused with.
for (const version of ['6.2', '7.0'] as const satisfies RedisVersion[]) {
  const { name } = redisVersions[version];
  describe.skipIf(!(await canStartRedis(version)))(`stores on ${name} when it is full`, () => {
    it('refuse what is new and say that it may be tried again, but take how running work ended', async () => {
      const server = await startTestRedis({ version });
      const client = new Redis(server.url);
      try {
        const store = new RedisIdempotencyStore({ redis: client });
        const queue = new RedisDeadLetterQueue({ redis: client });
        const running = tokenOf(await store.claim('running', charge));
        const id = await queue.add(unreadable);
        await queue.redrive(id);
        const options = { limit: 1, leaseMs: 60_000, worker: 'worker-1' };
        const [claimed] = await queue.claim('billing', options);

        await client.config('SET', 'maxmemory', '1');
        await expect(store.claim('new', charge)).rejects.toMatchObject(full);
        const coordinates = { ...unreadable.coordinates, position: '2-0' };
        await expect(queue.add({ ...unreadable, coordinates })).rejects.toMatchObject(full);
        expect(await store.complete('running', running, 'done', 60_000)).toBe(true);
        expect(await queue.settle(claimed!, { status: 'resolved' })).toBe(true);

        await client.config('SET', 'maxmemory', '0');
        expect(await store.get('new')).toBeNull();
        expect(await queue.list()).toMatchObject([{ id, status: 'resolved' }]);
        expect(await queue.add({ ...unreadable, coordinates })).not.toBe(id);
      } finally {
        client.disconnect();
        await server.stop();
      }
    });
  });
}

function tokenOf(claim: IdempotencyClaim): string {
  expect(claim.status).toBe('claimed');
  return claim.status === 'claimed' ? claim.token : '';
}
