import type { DeadLetterClaim } from '@waybill/core/adapter';
import { spawnWorker } from '@waybill/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { canStartRedis, hasRedis, startTestRedis } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import type { ClaimingWorkerArgs } from '../test/claiming-worker.ts';
import { failure, failures, group, handling, resolution } from '../test/failures.ts';
import { StoreBench } from '../test/store-bench.ts';
import { twice } from '../test/twice.ts';
import { RedisDeadLetterQueue } from './dead-letter-queue.ts';

const worker = new URL('../test/claiming-worker.ts', import.meta.url);
const unavailable = { code: 'DEAD_LETTER_UNAVAILABLE' };

describe.skipIf(!hasRedis())('dead letters on Redis among several workers', () => {
  const bench = new StoreBench();
  let client: Redis;
  let streamPrefix: string;
  let stream: string;
  let queue: RedisDeadLetterQueue;
  beforeAll(() => {
    bench.open();
    ({ client } = bench);
  });
  afterAll(() => bench.close());
  beforeEach(() => {
    streamPrefix = bench.prefix();
    stream = `${streamPrefix}:dead-letters`;
    queue = new RedisDeadLetterQueue({ redis: client, streamPrefix });
  });

  const claim = (by = queue, leaseMs = 60_000): Promise<DeadLetterClaim[]> =>
    by.claim(group, { limit: 10, leaseMs, worker: 'worker-1' });
  it('are one entry with all attempts when every worker records the same failure', async () => {
    const clients = [new Redis(bench.url), new Redis(bench.url), new Redis(bench.url)];
    const queues = clients.map((redis) => new RedisDeadLetterQueue({ redis, streamPrefix }));
    const rounds = Array.from({ length: 10 }, () => queues).flat();
    const ids = await Promise.all(rounds.map((each) => each.add(failure({ totalAttempts: 2 }))));
    for (const each of clients) each.disconnect();
    expect(new Set(ids).size).toBe(1);
    expect(await queue.list()).toMatchObject([{ totalAttempts: 60 }]);
  });

  it('are claimed oldest first', async () => {
    const ids: string[] = [];
    for (const each of failures(15)) ids.push(await queue.add(each));
    for (const id of ids.toReversed()) await queue.redrive(id);
    const first = await claim();
    const second = await claim();
    const claimed = [first, second].map((each) => each.map(({ deadLetter }) => deadLetter.id));
    expect(claimed.map((each) => each.length)).toEqual([10, 5]);
    for (const each of claimed) expect(each).toEqual(ids.filter((id) => each.includes(id)));
  });

  it.each([
    ['ahead', 600_000],
    ['behind', -600_000],
  ])(
    'go to the next one after their worker was killed, whose clock was ten minutes %s',
    async (_name, clockShiftMs) => {
      const id = await queue.add(failure());
      await queue.redrive(id);
      const args: ClaimingWorkerArgs = { url: bench.url, streamPrefix, group, claimMs: 5_000 };
      await using other = spawnWorker(worker, args, { clockShiftMs });
      expect(await other.message('answer')).toMatchObject({ status: 'claimed' });
      expect(await claim()).toEqual([]);
      await other.kill();
      let claims: DeadLetterClaim[] = [];
      await waitUntil('the claim has lapsed', async () => (claims = await claim()).length > 0);
      expect(claims.map(({ deadLetter }) => deadLetter.id)).toEqual([id]);
      expect(await queue.settle(claims[0]!, { status: 'resolved' })).toBe(true);
    },
  );

  it('stay with whoever runs them when the same failure is recorded again', async () => {
    const id = await queue.add(failure());
    await queue.redrive(id);
    const [claimed] = await claim();
    await queue.add(failure());
    expect(await claim()).toEqual([]);
    expect(await queue.settle(claimed!, { status: 'resolved' })).toBe(true);
    expect(await queue.get(id)).toMatchObject({ status: 'resolved', totalAttempts: 6 });
  });

  it('count once what a client sends again because it lost the answer', async () => {
    const again = new RedisDeadLetterQueue({ redis: twice(client), streamPrefix });
    const id = await again.add(failure());
    await again.add(failure());
    expect((await queue.get(id))!.totalAttempts).toBe(6);
    await again.redrive(id);
    const [claimed] = await claim();
    const { failureType, fingerprint } = failure();
    const failed = { failureReason: 'still', failureType, fingerprint, attempts: 1 };
    expect(await again.settle(claimed!, { status: 'pending', ...failed })).toBe(true);
    expect(await queue.get(id)).toMatchObject({ status: 'pending', totalAttempts: 7 });
    await again.redrive(id);
    const [second] = await claim();
    expect(await again.settle(second!, { status: 'resolved' })).toBe(true);
    await again.add(failure());
    await again.skip(id, resolution);
    expect((await queue.get(id))!.status).toBe('skipped');
    await expect(again.skip(id, resolution)).rejects.toMatchObject(unavailable);
  });

  it('leave nothing for the next look once they have ended', async () => {
    const [one, two, three] = await Promise.all(failures(3).map((each) => queue.add(each)));
    for (const id of [one, two, three]) await queue.redrive(id!);
    const [first, second] = await claim();
    const { failureReason, failureType, fingerprint } = failure();
    const failed = { failureReason, failureType, fingerprint, attempts: 1 };
    await queue.settle(first!, { status: 'resolved' });
    await queue.settle(second!, { status: 'pending', ...failed });
    const processing = `${stream}:processing:${group}`;
    expect(await client.zrange(processing, '0', '-1')).toEqual([three]);
    await queue.skip(three!, resolution);
    expect(await client.exists(processing)).toBe(0);
  });

  it('outlive a server that has forgotten its scripts', async () => {
    const id = await queue.add(failure());
    await client.script('FLUSH');
    await queue.redrive(id);
    const [claimed] = await claim();
    await client.script('FLUSH');
    expect(await queue.settle(claimed!, { status: 'resolved' })).toBe(true);
  });
});

describe.skipIf(!(await canStartRedis()))('dead letters on a server that crashes', () => {
  // With `everysec`, which others use, it may have answered what it had not written yet.
  it('are there when it is back, and so are the claims on them', async () => {
    const server = await startTestRedis({ settings: { appendfsync: 'always' } });
    const client = new Redis(server.url);
    client.on('error', () => {}); // it connects again by itself
    try {
      const queue = new RedisDeadLetterQueue({ redis: client });
      const id = await queue.add(failure());
      await queue.redrive(id);
      const options = { limit: 10, leaseMs: 60_000, worker: 'worker-1' };
      const [claimed] = await queue.claim(group, options);
      await server.kill();
      await server.restart({ keepData: true });
      expect(await queue.find([handling])).toMatchObject([{ id, status: 'processing' }]);
      expect(await queue.claim(group, options)).toEqual([]);
      expect(await queue.settle(claimed!, { status: 'resolved' })).toBe(true);
    } finally {
      client.disconnect();
      await server.stop();
    }
  });
});
