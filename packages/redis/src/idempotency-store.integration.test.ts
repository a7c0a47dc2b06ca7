import { spawnWorker } from '@waybill/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { canStartRedis, hasRedis, startTestRedis } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import type { ClaimingWorkerArgs } from '../test/claiming-worker.ts';
import { StoreBench } from '../test/store-bench.ts';
import { twice } from '../test/twice.ts';
import { RedisIdempotencyStore } from './idempotency-store.ts';

const worker = new URL('../test/claiming-worker.ts', import.meta.url);
const tenMinutesMs = 600_000;
const charge = { operation: 'charge', claimMs: 60_000 };
const unavailable = { code: 'TRANSPORT_UNAVAILABLE', details: { transport: 'redis' } };

describe.skipIf(!hasRedis())('idempotency keys on Redis', () => {
  const bench = new StoreBench();
  let keyPrefix: string;
  let client: Redis;
  let store: RedisIdempotencyStore;
  beforeAll(() => {
    bench.open();
    ({ client } = bench);
    keyPrefix = bench.prefix();
    store = new RedisIdempotencyStore({ redis: client, keyPrefix });
  });
  afterAll(() => bench.close());

  const claimed = async (key: string, claimMs = 60_000, by = store): Promise<string> => {
    const claim = await by.claim(key, { operation: 'charge', claimMs });
    expect(claim.status).toBe('claimed');
    return claim.status === 'claimed' ? claim.token : '';
  };
  const untilFree = (key: string): Promise<void> =>
    waitUntil(`${key} is free`, async () => (await store.claim(key, charge)).status === 'claimed');
  const hashOf = (key: string): Promise<Record<string, string>> => client.hgetall(keyPrefix + key);

  describe('claims of several processes', () => {
    async function claimElsewhere(key: string, claimMs: number, clockShiftMs = 0): Promise<string> {
      const args: ClaimingWorkerArgs = { url: bench.url, keyPrefix, key, claimMs };
      await using other = spawnWorker(worker, args, { clockShiftMs });
      const { status } = await other.message<{ status: string }>('answer');
      await other.kill();
      return status;
    }

    it.each([
      ['ahead', tenMinutesMs],
      ['behind', -tenMinutesMs],
    ])(
      'are neither stolen nor prolonged by a clock that is ten minutes %s',
      async (name, shiftMs) => {
        const mine = `held against ${name}`;
        await claimed(mine);
        expect(await claimElsewhere(mine, 60_000, shiftMs)).toBe('held');

        const theirs = `held by ${name}`;
        expect(await claimElsewhere(theirs, 5_000, shiftMs)).toBe('claimed');
        expect(await store.claim(theirs, charge)).toEqual({ status: 'held' });
        await untilFree(theirs);
      },
    );

    it('go to the next caller after their holder was killed, long before a result would be forgotten', async () => {
      expect(await claimElsewhere('orphan', 300)).toBe('claimed');
      await untilFree('orphan');
    });
  });

  it('refuse whoever overslept a claim once another has it, whatever it was about to say', async () => {
    const stale = await claimed('overslept', 50);
    await untilFree('overslept');
    const before = await hashOf('overslept');
    expect(await store.renew('overslept', stale, 60_000)).toBe(false);
    expect(await store.complete('overslept', stale, 'stale', 60_000)).toBe(false);
    expect(await store.release('overslept', stale, 'stale')).toBe(false);
    expect(await hashOf('overslept')).toEqual(before);
  });

  it('keep the result of work that took longer than its claim, if nobody else has begun it', async () => {
    const token = await claimed('late', 20);
    await waitUntil('the claim has lapsed', async () => {
      const [seconds, micros] = await client.time();
      const nowMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
      return nowMs > Number((await hashOf('late')).claim_until);
    });
    expect(await store.complete('late', token, 'done', 60_000)).toBe(true);
    expect(await store.claim('late', charge)).toEqual({ status: 'completed', result: 'done' });
  });

  it('are readable with redis-cli, and expire whatever has become of them', async () => {
    const token = await claimed('shown');
    const lives = async (): Promise<boolean> => (await client.pttl(`${keyPrefix}shown`)) > 0;
    expect(await hashOf('shown')).toEqual({
      operation: 'charge',
      status: 'processing',
      token,
      claim_until: expect.stringMatching(/^\d{13}$/),
    });
    expect(await lives()).toBe(true);
    const before = await client.pttl(`${keyPrefix}shown`);
    await store.renew('shown', token, 120_000);
    expect(await client.pttl(`${keyPrefix}shown`)).toBeGreaterThan(before);
    await store.release('shown', token, 'card declined');
    expect(await hashOf('shown')).toMatchObject({ status: 'failed', error: 'card declined' });
    expect(await lives()).toBe(true);
    await store.complete('shown', await claimed('shown'), { charge: 'ch_1' }, 60_000);
    expect(await hashOf('shown')).toMatchObject({
      operation: 'charge',
      status: 'completed',
      result: '{"charge":"ch_1"}',
    });
    expect(await lives()).toBe(true);
  });

  it('count once what a client sends again because it lost the answer', async () => {
    const again = new RedisIdempotencyStore({ redis: twice(client), keyPrefix });
    const first = await claimed('again', 60_000, again);
    expect(await again.renew('again', first, 60_000)).toBe(true);
    expect(await again.release('again', first, 'no')).toBe(true);
    const second = await claimed('again', 60_000, again);
    expect(await again.complete('again', second, 1, 60_000)).toBe(true);
    expect(await again.complete('again', second, 2, 60_000)).toBe(false);
    expect(await store.get('again')).toMatchObject({ status: 'completed', result: 1 });
  });

  it('outlive a server that has forgotten its scripts', async () => {
    const token = await claimed('flushed');
    await client.script('FLUSH');
    expect(await store.renew('flushed', token, 60_000)).toBe(true);
    await client.script('FLUSH');
    expect(await store.complete('flushed', token, 1, 60_000)).toBe(true);
  });

  it('cut a failure that is very long', async () => {
    await store.release('long', await claimed('long'), 'x'.repeat(1_000_000));
    expect((await store.get('long'))!.error).toBe('x'.repeat(2_000));
  });

  it('refuse by name a key that holds something else, and leave it alone', async () => {
    await client.set(`${keyPrefix}taken`, 'mine');
    const wrongType = {
      ...unavailable,
      retryable: false,
      message: expect.stringContaining('WRONGTYPE'),
    };
    await expect(store.claim('taken', charge)).rejects.toMatchObject(wrongType);
    await expect(store.get('taken')).rejects.toMatchObject(wrongType);
    await expect(store.complete('taken', 't', 1, 1_000)).rejects.toMatchObject(wrongType);
    expect(await client.get(`${keyPrefix}taken`)).toBe('mine');
  });

  it('refuse a time that is none, and a key or an operation that is no name', async () => {
    for (const claimMs of [0, -1, Number.NaN, Infinity, 1e300]) {
      await expect(store.claim('k', { operation: 'o', claimMs })).rejects.toThrow(TypeError);
      await expect(store.renew('k', 't', claimMs)).rejects.toThrow(TypeError);
      await expect(store.complete('k', 't', 1, claimMs)).rejects.toThrow(TypeError);
    }
    for (const name of ['', 'k'.repeat(256), 'a\0b', '\ud800']) {
      await expect(store.claim(name, charge)).rejects.toThrow(TypeError);
      await expect(store.claim('k', { ...charge, operation: name })).rejects.toThrow(TypeError);
    }
    expect(await store.get('k')).toBeNull();
  });

  it('say by name that the connection is gone, and that it may come back', async () => {
    const gone = new Redis(bench.url, { lazyConnect: true });
    const lost = new RedisIdempotencyStore({ redis: gone, keyPrefix });
    gone.disconnect();
    const refused = lost.claim('gone', charge);
    await expect(refused).rejects.toMatchObject({ ...unavailable, retryable: true });
  });

  it('close a connection of their own, and none that they were given', async () => {
    const own = new RedisIdempotencyStore({ redis: bench.url, keyPrefix });
    await claimed('own', 60_000, own);
    const isThere = async (): Promise<boolean> =>
      String(await client.client('LIST')).includes('name=waybill-idempotency ');
    expect(await isThere()).toBe(true);
    own.close();
    own.close();
    await waitUntil('the connection is closed', async () => !(await isThere()));

    let closed = 0;
    const redis = { send: twice(client).send, close: () => void (closed += 1) };
    new RedisIdempotencyStore({ redis, keyPrefix }).close();
    store.close();
    expect(closed).toBe(0);
    expect(await client.ping()).toBe('PONG');
  });

  it('refuse options that they cannot use', () => {
    const make = (options: object) => () =>
      new RedisIdempotencyStore({ redis: client, ...options } as never);
    expect(make({ prefix: 'x' })).toThrow(/unknown option prefix/);
    expect(make({ keyPrefix: '' })).toThrow(/keyPrefix/);
    expect(make({ redis: undefined })).toThrow(TypeError);
    expect(make({ redis: 'localhost' })).toThrow(TypeError);
  });
});

describe.skipIf(!(await canStartRedis()))('idempotency keys on a server that crashes', () => {
  // With `everysec`, which others use, it may have answered what it had not written yet.
  it('hold claims and know results when it is back', async () => {
    const server = await startTestRedis({ settings: { appendfsync: 'always' } });
    const client = new Redis(server.url);
    client.on('error', () => {}); // it connects again by itself
    try {
      const store = new RedisIdempotencyStore({ redis: client });
      const held = await store.claim('held', charge);
      const done = await store.claim('done', charge);
      const tokenOf = (claim: typeof held): string => ('token' in claim ? claim.token : '');
      await store.complete('done', tokenOf(done), { charge: 'ch_1' }, 60_000);
      await server.kill();
      await server.restart({ keepData: true });
      expect(await store.claim('held', charge)).toEqual({ status: 'held' });
      expect(await store.complete('held', tokenOf(held), 1, 60_000)).toBe(true);
      const result = { charge: 'ch_1' };
      expect(await store.claim('done', charge)).toEqual({ status: 'completed', result });
    } finally {
      client.disconnect();
      await server.stop();
    }
  });
});
