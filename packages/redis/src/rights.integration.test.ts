import { readFileSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { message, StreamBench, StreamProbe } from '../test/stream-bench.ts';
import { RedisDeadLetterQueue } from './dead-letter-queue.ts';
import { RedisIdempotencyStore } from './idempotency-store.ts';

const guide = readFileSync(new URL('../../../docs/guides/redis.md', import.meta.url), 'utf8');
const rights = /```text\n(ACL SETUSER [^`]*)```/.exec(guide)?.[1] ?? '';

describe.skipIf(!hasRedis())('a user with the rights that the guide names', () => {
  let bench: StreamBench;
  let user: string;
  beforeEach(async () => {
    bench = new StreamBench();
    user = `waybill-${bench.prefix.replaceAll(':', '')}`;
    const [, , , ...rules] = rights
      .replaceAll('quickwms:events:', bench.prefix)
      .replaceAll('quickwms:idempotency:', `${bench.prefix}keys:`)
      .trim()
      .split(/\s+/);
    await bench.redis.call('ACL', 'SETUSER', user, ...rules, '>secret');
  });
  afterEach(async () => {
    await bench.redis.call('ACL', 'DELUSER', user);
    await bench.close();
  });

  it('can do everything, and nothing to the keys of others', async () => {
    const url = new URL(redisUrl());
    url.username = user;
    url.password = 'secret';
    const redis = url.href;
    const transport = await bench.connect({ redis, maxStreamLength: 1 });
    const probes = [
      await StreamProbe.subscribe(transport, 'stock', { settle: true }),
      await StreamProbe.subscribe(transport, 'audit', { patterns: ['*'], settle: true }),
      await StreamProbe.subscribe(transport, null, { settle: true }),
    ];
    const marker = await transport.mark('here');
    const outcomes = await transport.publish([message(), message()], { marker });
    for (const { status } of outcomes) expect(status).toBe('accepted');
    for (const probe of probes) await probe.received(2);
    await transport.inspect();
    await transport.trim();
    for (const probe of probes) await probe.consumer.close();
    const letters = new RedisDeadLetterQueue({ redis, streamPrefix: bench.prefix });
    expect(await letters.list()).toEqual([]);
    letters.close();
    const keys = new RedisIdempotencyStore({ redis, keyPrefix: `${bench.prefix}keys:` });
    const claim = await keys.claim('k', { operation: 'o', claimMs: 1_000 });
    expect(claim.status).toBe('claimed');
    keys.close();
    expect(bench.seen('consume-failed')).toEqual([]);

    const others = await bench.connect({ redis, streamPrefix: 'test:others:' });
    await expect(others.publish([message()])).rejects.toMatchObject({ retryable: false });
  });
});
