import { randomUUID } from 'node:crypto';

import {
  MemoryDatabase,
  MemoryDeadLetterQueue,
  MemoryHandoverQueue,
  MemoryInbox,
} from '@waybill/core/memory';
import type {
  DeliveryConformanceOptions,
  TransportConformanceOptions,
} from '@waybill/core/conformance';
import { crashingRedisClient, startFaultProxy } from '@waybill/testing';
import { Redis } from 'ioredis';

import { redisUrl } from '../../../scripts/services/test-redis.ts';
import type { RedisVersion } from '../../../scripts/services/redis-versions.ts';
import { RedisDeadLetterQueue } from '../src/dead-letter-queue.ts';
import { RedisStreamTransport } from '../src/stream-transport.ts';

const { capabilities } = RedisStreamTransport;
/** Longer than a consumer takes to look for what others have left. */
const quietMs = 150;

/** What the suites are given on one server. */
export function streamConformance(version: RedisVersion): {
  transport: TransportConformanceOptions;
  /** The engine over the transport, for a service that has nothing but Redis. */
  delivery: DeliveryConformanceOptions;
  /** The same for a service with a database, where inbox and dead letters are. */
  deliveryWithDatabase: DeliveryConformanceOptions;
} {
  const create = () => createStreams(redisUrl(version));
  return {
    transport: {
      capabilities,
      quietMs,
      breaksServer: true,
      refusesAccess: true,
      losesSettlements: true,
      create,
    },
    delivery: {
      capabilities,
      quietMs,
      inbox: false,
      create: async () => {
        const streams = await create();
        const { redis, prefix: streamPrefix } = streams;
        return { ...streams, deadLetters: new RedisDeadLetterQueue({ redis, streamPrefix }) };
      },
    },
    deliveryWithDatabase: {
      capabilities,
      quietMs,
      inbox: true,
      create: async () => {
        const transactions = new MemoryDatabase();
        return {
          ...(await create()),
          transactions,
          deadLetters: new MemoryDeadLetterQueue(transactions),
          inbox: new MemoryInbox(transactions),
          handovers: new MemoryHandoverQueue(transactions),
        };
      },
    },
  };
}

/** Streams of one case, under a prefix of its own, on a network of its own; removed at its end. */
async function createStreams(url: string) {
  const prefix = `test:${randomUUID()}:`;
  const redis = new Redis(url);
  const { hostname, port } = new URL(url);
  const proxy = await startFaultProxy({ to: { host: hostname, port: Number(port) } });
  const user = `waybill-${prefix.replaceAll(':', '')}`;
  await redis.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all');
  const host = `${proxy.host}:${proxy.port}`;
  const login = { host, username: user, password: 'secret' };
  const through = Object.assign(new URL(url), login).href;
  const base = new Redis(through, { lazyConnect: true });
  let isLosing = false;
  const client = crashingRedisClient(base, {
    // What settles is answered as if it had been done, and never sent.
    around: async (point, send) => {
      if (!isLosing || !['XACK', 'SCRIPT (XACK)'].includes(point)) return await send();
      return (point === 'XACK' ? 0 : []) as Awaited<ReturnType<typeof send>>;
    },
  });
  return {
    prefix,
    redis,
    open: () =>
      new RedisStreamTransport({ redis: client, streamPrefix: prefix, reclaimEveryMs: 40 }),
    async breakServer(): Promise<() => Promise<void>> {
      await proxy.switchTo({ kind: 'reset' });
      return () => proxy.switchTo({ kind: 'pass' });
    },
    async refuseAccess(): Promise<() => Promise<void>> {
      await redis.call('ACL', 'SETUSER', user, 'resetpass', '>other');
      await redis.call('CLIENT', 'KILL', 'USER', user);
      return async () => void (await redis.call('ACL', 'SETUSER', user, 'resetpass', '>secret'));
    },
    loseSettlements: () => {
      isLosing = true;
      return () => (isLosing = false);
    },
    async cleanup(): Promise<void> {
      for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
        if (keys.length > 0) await redis.del(...(keys as string[]));
      }
      await redis.call('ACL', 'DELUSER', user);
      await redis.quit();
      base.disconnect();
      await proxy.stop();
    },
  };
}
