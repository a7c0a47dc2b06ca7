import type { DeadLetterClaim } from '@waybill/core/adapter';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import {
  event,
  failure,
  failures,
  group,
  handling,
  message,
  resolution,
} from '../test/failures.ts';
import { StoreBench } from '../test/store-bench.ts';
import { twice } from '../test/twice.ts';
import { RedisDeadLetterQueue } from './dead-letter-queue.ts';

const unavailable = { code: 'DEAD_LETTER_UNAVAILABLE' };

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

  const claim = (by = queue, leaseMs = 60_000): Promise<DeadLetterClaim[]> =>
    by.claim(group, { limit: 10, leaseMs, worker: 'worker-1' });
  const entryOf = async (id: string): Promise<Record<string, string>> => {
    const [[, fields] = [id, []]] = await client.xrange(stream, id, id);
    return Object.fromEntries(
      Array.from({ length: fields.length / 2 }, (_, at) => [fields[2 * at]!, fields[2 * at + 1]!]),
    );
  };

  it('show with redis-cli what failed, and what has become of it', async () => {
    const id = await queue.add(failure({ errorCode: 'NOT_FOUND' }));
    expect(await client.xrange(stream, '-', '+')).toEqual([[id, expect.any(Array)]]);
    expect(Object.entries(await entryOf(id))).toEqual([
      ['original_event_id', 'e-1'],
      ['event_type', 'item.graded'],
      ['group_name', group],
      ['handler', 'list'],
      ['source', 'quickgradez'],
      ['key', '123456789'],
      ['failure_reason', 'no such item'],
      ['failure_type', 'permanent'],
      ['error_code', 'NOT_FOUND'],
      ['error_stack', ''],
      ['fingerprint', 'f-1'],
      ['transport', 'redis'],
      ['stream', 'quickwms:events:item'],
      ['partition', ''],
      ['position', '1700000000000-0'],
      ['message_id', 'e-1'],
      ['message_type', 'item.graded'],
      ['content_type', 'application/cloudevents+json'],
      ['headers', ''],
      ['event_data', JSON.stringify(event)],
      ['raw', JSON.stringify(event)],
      ['raw_is_text', 'true'],
      ['raw_encoding', 'utf8'],
    ]);
    expect(await client.hgetall(`${stream}:${id}`)).toMatchObject({
      status: 'pending',
      total_attempts: '3',
    });
    expect((await queue.get(id))!.enteredAt.getTime()).toBe(Number(id.split('-')[0]));
  });

  it('show of a later failure what is different from the first one, and nothing twice', async () => {
    const id = await queue.add(failure({ errorCode: 'NOT_FOUND' }));
    const other = message({ body: 'other', headers: [['note', 'n']] });
    await queue.add(failure({ failureReason: 'too late', message: other }));
    const entry = await entryOf(id);
    expect([entry.failure_reason, entry.error_code]).toEqual(['no such item', 'NOT_FOUND']);
    const { last_call: _call, ...state } = await client.hgetall(`${stream}:${id}`);
    expect(state).toEqual({
      status: 'pending',
      total_attempts: '6',
      failure_reason: 'too late',
      error_code: '',
      headers: '[["note","n"]]',
      raw: 'other',
    });
    expect(await queue.get(id)).toMatchObject({ failureReason: 'too late', message: other });
    await queue.add(failure({ errorCode: 'NOT_FOUND' }));
    expect(await client.hgetall(`${stream}:${id}`)).not.toHaveProperty('failure_reason');
    expect(await queue.get(id)).toMatchObject({
      failureReason: 'no such item',
      totalAttempts: 9,
    });
  });

  it('say who ran it again', async () => {
    const id = await queue.add(failure());
    await queue.redrive(id);
    const [claimed] = await claim();
    await queue.settle(claimed!, { status: 'resolved' });
    expect(await queue.get(id)).toMatchObject({ status: 'resolved', resolvedBy: 'worker-1' });
  });

  it('are gone once their entry is deleted by hand, and come again as new ones', async () => {
    const [kept, deleted] = await Promise.all(failures(2).map((each) => queue.add(each)));
    await queue.redrive(deleted!);
    await queue.redrive(kept!);
    await client.xdel(stream, deleted!);
    expect(await queue.get(deleted!)).toBeNull();
    expect(await queue.find([{ ...handling, eventId: 'e-1' }])).toEqual([null]);
    await expect(queue.resolve(deleted!, resolution)).rejects.toMatchObject(unavailable);
    expect((await claim()).map(({ deadLetter }) => deadLetter.id)).toEqual([kept]);
    const again = await queue.add(failures(2)[1]!);
    expect(again).not.toBe(deleted);
    expect(await queue.get(again)).toMatchObject({ status: 'pending', totalAttempts: 3 });
    expect((await queue.list()).map(({ id }) => id)).toEqual([kept, again]);
  });

  it('are found page by page, however many others lie between them', async () => {
    const wanted: string[] = [];
    for (const [number, each] of failures(250).entries()) {
      const isWanted = number % 100 === 99 || number === 0;
      const id = await queue.add(isWanted ? { ...each, fingerprint: 'rare' } : each);
      if (isWanted) wanted.push(id);
    }
    const idsOf = async (filter: object): Promise<string[]> =>
      (await queue.list({ fingerprint: 'rare', ...filter })).map(({ id }) => id);
    expect(await idsOf({})).toEqual(wanted);
    expect(await idsOf({ afterId: '0' })).toEqual(wanted);
    expect(await idsOf({ limit: 2 })).toEqual(wanted.slice(0, 2));
    expect(await idsOf({ limit: 2, afterId: wanted[1] })).toEqual(wanted.slice(2));
    expect(await queue.list({ limit: 240 })).toHaveLength(240);
  });

  it('say of an id that is none that there is no such entry', async () => {
    const id = await queue.add(failure());
    const strange = ['', 'abc', '-', '+', '1', '-1-0', `0${id}`, '9'.repeat(25), `(${id}`];
    for (const each of strange) {
      expect(await queue.get(each)).toBeNull();
      expect(await queue.list({ afterId: each })).toEqual([]);
      await expect(queue.redrive(each)).rejects.toMatchObject(unavailable);
    }
    expect((await queue.get(id))!.status).toBe('pending');
  });

  it('close a connection of their own, and none that they were given', async () => {
    const own = new RedisDeadLetterQueue({ redis: bench.url, streamPrefix });
    await own.add(failure());
    const isThere = async (): Promise<boolean> =>
      String(await client.client('LIST')).includes('name=waybill-dead-letters ');
    expect(await isThere()).toBe(true);
    own.close();
    own.close();
    await waitUntil('the connection is closed', async () => !(await isThere()));

    let closed = 0;
    const redis = { send: twice(client).send, close: () => void (closed += 1) };
    new RedisDeadLetterQueue({ redis, streamPrefix }).close();
    queue.close();
    expect(closed).toBe(0);
    expect(await client.ping()).toBe('PONG');
  });

  it('refuse options that they cannot use', () => {
    const make = (options: object) => () =>
      new RedisDeadLetterQueue({ redis: client, ...options } as never);
    expect(make({ prefix: 'x' })).toThrow(/unknown option prefix/);
    expect(make({ streamPrefix: 'a b' })).toThrow(/streamPrefix/);
    expect(make({ redis: 'localhost' })).toThrow(TypeError);
  });
});
