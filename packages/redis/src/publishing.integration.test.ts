import type { PublishOutcome } from '@waybill/core';
import { partitionOf, type Message } from '@waybill/core/adapter';
import { MemoryOutbox } from '@waybill/core/memory';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { redisVersions, type RedisVersion } from '../../../scripts/services/redis-versions.ts';
import { hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { message, StreamBench } from '../test/stream-bench.ts';

const order = (key: string) => message(key, { type: 'order.created' });
const statusesOf = (outcomes: readonly PublishOutcome[]) => outcomes.map(({ status }) => status);
const waits = { code: 'TRANSPORT_UNAVAILABLE', retryable: true };

// What they say of a missing right, and from within a script, is different in each.
for (const version of Object.keys(redisVersions) as RedisVersion[]) {
  const { name } = redisVersions[version];
  describe.skipIf(!hasRedis(version))(`publishing to ${name}`, () => {
    let bench: StreamBench;
    beforeEach(() => {
      bench = new StreamBench(redisUrl(version));
    });
    afterEach(() => bench.close());

    /** Ids of the events in the stream of a type, oldest first. */
    async function stored(type = 'item'): Promise<string[]> {
      const entries = await bench.redis.xrange(`${bench.prefix}${type}`, '-', '+');
      return entries.map(([, fields]) => fields[1]!);
    }

    /** Expects that the second and the third of five were not accepted, and why. */
    function expectRefused(
      sent: readonly Message[],
      outcomes: readonly PublishOutcome[],
      reason: string,
    ): void {
      expect(statusesOf(outcomes)).toEqual([
        'accepted',
        'refused',
        'refused',
        'accepted',
        'accepted',
      ]);
      const [bad, behind] = sent.slice(1) as [Message, Message];
      expect(outcomes[1]).toMatchObject({
        error: {
          code: reason === 'NOPERM' ? 'ACCESS_REFUSED' : 'TRANSPORT_UNAVAILABLE',
          retryable: false,
          message: expect.stringContaining(reason),
          details: { eventId: bad.id, eventType: 'order.created' },
        },
      });
      expect(outcomes[1]).toMatchObject({
        error: {
          message: expect.stringContaining(`order.created ${bad.id} into ${bench.prefix}order`),
        },
      });
      expect(outcomes[2]).toMatchObject({
        error: { ...waits, message: expect.stringContaining(behind.id) },
      });
    }

    it('refuses what goes into a key of another type, and holds back its key alone, in all streams', async () => {
      const transport = await bench.connect();
      await bench.redis.set(`${bench.prefix}order`, 'not a stream');
      const sent = [message('a'), order('b'), message('b'), message('c'), message('a')];
      expectRefused(sent, await transport.publish(sent), 'WRONGTYPE');
      expect(await stored()).toEqual([sent[0]!.id, sent[3]!.id, sent[4]!.id]);
      const [again] = await transport.publish([sent[2]!]);
      expect(again, 'the next call knows nothing of it').toMatchObject({ status: 'accepted' });
    });

    it('refuses what goes into a stream that the user has no right for, and holds back its key alone', async () => {
      await using user = await bench.user(`~${bench.prefix}item`, `~${bench.prefix}:*`, '+@all');
      const transport = await bench.connect({ redis: user.url });
      const sent = [message('a'), order('b'), message('b'), message('c'), message('a')];
      expectRefused(sent, await transport.publish(sent), 'NOPERM');
      expect(await stored()).toEqual([sent[0]!.id, sent[3]!.id, sent[4]!.id]);
      const [alone] = await transport.publish([order('d')]);
      expect(alone).toMatchObject({ status: 'refused', error: { retryable: false } });
      expect(await bench.redis.exists(`${bench.prefix}order`)).toBe(0);
    });

    it('stops no partition of an outbox for one key of another type', async () => {
      const transport = await bench.connect();
      await bench.redis.set(`${bench.prefix}order`, 'not a stream');
      const { destination } = transport;
      const outbox = new MemoryOutbox();
      const keys = Array.from({ length: 1_000 }, (_, number) => `k-${number}`);
      const [bad, ...others] = keys.filter((key) => partitionOf(key) === partitionOf('k-0'));
      const [refused, ...good] = [order(bad!), ...others.map((key) => message(key)), message(bad)];
      await outbox.add([refused, ...good], { destination });
      const pass = { destination, partition: partitionOf(bad!), limit: 100 };
      const outcome = await outbox.drain(pass, (messages) => transport.publish(messages));
      expect(outcome).toMatchObject({ published: others.length, refused: [{ message: refused }] });
      expect(await stored()).toEqual(good.slice(0, -1).map(({ id }) => id));
      const { waiting, refused: named } = await outbox.status();
      expect(waiting).toBe(2);
      expect(named).toMatchObject([{ eventId: refused.id, key: bad, retryable: false }]);
    });

    it('lets calls that go together be, whatever one of them has no right for', async () => {
      await using user = await bench.user(`~${bench.prefix}item`, `~${bench.prefix}:*`, '+@all');
      const transport = await bench.connect({ redis: user.url });
      const calls = [[message('a')], [order('a'), order('b')], [message('a'), message('b')]];
      const outcomes = await Promise.all(calls.map((each) => transport.publish(each)));
      expect(outcomes.map(statusesOf)).toEqual([
        ['accepted'],
        ['refused', 'refused'],
        ['accepted', 'accepted'],
      ]);
    });

    it('fails, and says which right is missing, if there is none for what every message needs', async () => {
      await using user = await bench.user(`~${bench.prefix}item`, '+@all');
      const transport = await bench.connect({ redis: user.url });
      await expect(transport.publish([message()])).rejects.toMatchObject({
        code: 'ACCESS_REFUSED',
        retryable: false,
        message: expect.stringContaining(`could not use the key ${bench.prefix}:streams: NOPERM`),
      });
    });

    it('fails if the user may not publish at all, for that is the fault of no message', async () => {
      await using user = await bench.user(`~${bench.prefix}*`, '+@all', '-xadd');
      const transport = await bench.connect({ redis: user.url });
      await expect(transport.publish([message(), order('o')])).rejects.toMatchObject({
        code: 'ACCESS_REFUSED',
        retryable: false,
        message: expect.stringContaining('give it the rights that the guide of Redis lists'),
      });
    });

    it('holds back a key in the later parts of a call that is too long for one script', async () => {
      const transport = await bench.connect();
      await bench.redis.set(`${bench.prefix}order`, 'not a stream');
      const sent = Array.from({ length: 1_200 }, (_, at) => message(at % 3 === 0 ? 'a' : 'b'));
      sent[0] = order('a');
      const outcomes = await transport.publish(sent);
      const taken = sent.filter((_, at) => outcomes[at]!.status === 'accepted');
      expect(taken).toEqual(sent.filter(({ key }) => key === 'b'));
      expect(await stored()).toEqual(taken.map(({ id }) => id));
    });

    it('tells apart the marks that calls expect at the same time, and keeps the order of the others', async () => {
      const transport = await bench.connect();
      const marker = await transport.mark('here');
      const sent = Array.from({ length: 30 }, () => message());
      const settled = await Promise.allSettled(
        sent.map((each, at) =>
          transport.publish([each], [{ marker }, {}, { marker: 'there' }][at % 3]),
        ),
      );
      for (const [at, outcome] of settled.entries()) {
        if (at % 3 !== 2) expect(outcome).toMatchObject({ value: [{ status: 'accepted' }] });
        else {
          const details = { destination: transport.destination, expected: 'there', found: 'here' };
          expect(outcome).toMatchObject({ reason: { code: 'DESTINATION_CHANGED', details } });
        }
      }
      const expected = sent.filter((_, at) => at % 3 !== 2).map(({ id }) => id);
      expect(await stored()).toEqual(expected);
    });

    it('takes nothing on a server that was emptied, until it is marked again', async () => {
      const transport = await bench.connect();
      const marker = await transport.mark('the first');
      await transport.publish([message()], { marker });
      await bench.redis.del(`${bench.prefix}:marker`, bench.stream);
      await expect(transport.publish([message()], { marker })).rejects.toMatchObject({
        code: 'DESTINATION_CHANGED',
        retryable: false,
        details: { expected: 'the first', found: null },
      });
      expect(await bench.redis.exists(bench.stream)).toBe(0);
      expect(await transport.mark(marker)).toBe(marker);
      expect(statusesOf(await transport.publish([message()], { marker }))).toEqual(['accepted']);
      expect(bench.seen('lost')).toHaveLength(1);
    });

    it('says which right a mark needs, and publishes without one where nobody expects it', async () => {
      const own = ['streams', 'open-groups'].map((each) => `~${bench.prefix}:${each}`);
      await using user = await bench.user(`~${bench.prefix}item`, ...own, '+@all');
      const transport = await bench.connect({ redis: user.url });
      const missing = {
        code: 'ACCESS_REFUSED',
        retryable: false,
        message: expect.stringMatching(/the key test:.*::marker.*NOPERM/),
      };
      await expect(transport.mark('here')).rejects.toMatchObject(missing);
      await expect(transport.publish([message()], { marker: 'here' })).rejects.toMatchObject(
        missing,
      );
      expect(statusesOf(await transport.publish([message()]))).toEqual(['accepted']);
    });

    it('keeps the mark apart from streams', async () => {
      const transport = await bench.connect({ maxStreamLength: 1 });
      const marker = await transport.mark('here');
      await transport.publish([message(), message()], { marker });
      await transport.trim();
      const { streams } = await transport.inspect();
      expect(streams.map((stream) => stream.name)).toEqual([bench.stream]);
      expect(await bench.redis.get(`${bench.prefix}:marker`)).toBe('here');
    });
  });
}
