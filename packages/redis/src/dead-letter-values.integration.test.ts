import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { event, failure, failures, group, handling, message } from '../test/failures.ts';
import { StoreBench } from '../test/store-bench.ts';
import { RedisDeadLetterQueue } from './dead-letter-queue.ts';

describe.skipIf(!hasRedis())('dead letters on Redis', () => {
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

  it('keep bytes as they were, readable where they are text', async () => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const text = Buffer.from('{"grade":"Ä"}');
    const kept: (string | Uint8Array)[] = [
      every,
      text,
      new Uint8Array(0),
      '',
      '\0 ☂ \ufeff 🎁',
      '\ufeff',
    ];
    for (const [number, body] of kept.entries()) {
      const id = await queue.add(failures(kept.length, { message: message({ body }) })[number]!);
      const back = (await queue.get(id))!.message.body;
      expect(typeof back).toBe(typeof body);
      expect(Buffer.from(back)).toEqual(Buffer.from(body));
      if (body === text)
        expect(String(await client.xrange(stream, id, id))).toContain('raw,{"grade":"Ä"}');
    }
  });

  it('keep the message of an event that is no JSON, and find it by its handling', async () => {
    const data: Record<string, unknown> = {};
    data.self = data;
    const kept = message({ body: 'the message' });
    const id = await queue.add(failure({ event: { ...event, data }, message: kept }));
    const [found] = await queue.find([handling]);
    expect(found).toMatchObject({ id, message: kept, eventId: 'e-1' });
    expect(found!.event).toBeUndefined();
  });

  it('are read as an older version has written them, and take the message of a newer failure', async () => {
    const older = failure({ message: message({ id: 'm-1' }) });
    const id = await queue.add(older);
    const [[, fields]] = (await client.xrange(stream, id, id)) as [[string, string[]]];
    const added = ['message_id', 'message_type', 'headers'];
    const kept = fields.filter((_, at) => !added.includes(fields[at - (at % 2)]!));
    await client.del(stream);
    await client.xadd(stream, id, ...kept);
    expect((await queue.get(id))!.message).toEqual(message({ id: 'e-1' }));
    const newer = message({ id: '', headers: [['note', Uint8Array.of(255)]] });
    expect(await queue.add(failure({ message: newer }))).toBe(id);
    expect((await queue.get(id))!.message).toEqual(newer);
  });

  it('keep names apart, whatever characters they have', async () => {
    const groups = ['a', 'a:b', 'a","b', 'a\0', '*', '1-0', 'index', 'ü 世界'];
    for (const name of groups) await queue.redrive(await queue.add(failure({ group: name })));
    for (const name of groups) {
      const options = { limit: 10, leaseMs: 60_000, worker: 'w' };
      const claims = await queue.claim(name, options);
      expect(claims.map(({ deadLetter }) => deadLetter.group)).toEqual([name]);
      expect(await queue.find([{ ...handling, group: name }])).toMatchObject([{ group: name }]);
    }
  });

  it('refuse by name a key that holds something else, and leave nothing half done', async () => {
    const wrongType = {
      code: 'TRANSPORT_UNAVAILABLE',
      retryable: false,
      message: expect.stringContaining('WRONGTYPE'),
    };
    for (const [key, type] of [
      [stream, 'stream'],
      [`${stream}:index`, 'hash'],
    ] as const) {
      await client.set(key, 'mine');
      await expect(queue.add(failure())).rejects.toMatchObject(wrongType);
      await client.del(key);
      expect(await client.keys(`${streamPrefix}*`), `after the ${type}`).toEqual([]);
    }
    const id = await queue.add(failure());
    await client.set(`${stream}:processing:${group}`, 'mine');
    await expect(queue.redrive(id)).rejects.toMatchObject(wrongType);
    expect((await queue.get(id))!.status).toBe('pending');
  });

  it('refuse attempts that cannot be added up', async () => {
    for (const totalAttempts of [0, -1, 1.5, Number.NaN]) {
      await expect(queue.add(failure({ totalAttempts }))).rejects.toThrow(TypeError);
    }
  });
});
