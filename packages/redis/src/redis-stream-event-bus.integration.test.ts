import { silentLogger } from '@waybill/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { StreamBench } from '../test/stream-bench.ts';
import { RedisStreamEventBus } from './redis-stream-event-bus.ts';

describe.skipIf(!hasRedis())('a bus over Redis Streams', () => {
  let bench: StreamBench;
  beforeEach(() => {
    bench = new StreamBench();
  });
  afterEach(() => bench.close());

  it('says with the logger of its groups where a new one begins', async () => {
    const lines: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, line: string) => void lines.push(line) };
    const bus = new RedisStreamEventBus({
      redis: redisUrl(),
      serviceName: 'quickgradez',
      streamPrefix: bench.prefix,
      consumers: { logger },
    });
    await bus.subscribe(['item.received'], () => {});
    await bus.connect();
    await bus.start();
    expect(lines).toEqual([
      expect.stringContaining(`group quickgradez-group is new on ${bench.stream} and begins with`),
    ]);
    await bus.shutdown();
  });
});
