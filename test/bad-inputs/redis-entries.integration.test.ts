// Inputs 1, 19, 31, 32 and 51: what is in Redis that is not ours, in our streams and in their places.

import type { Observation } from '@waybill/core';
import {
  EventPublisher,
  EventSubscriber,
  IdempotencyHandler,
  RedisDeadLetterQueue,
  RedisStreamEventBus,
  type EventEnvelope,
} from '@quickwms/events';
import type { Message } from '@waybill/core/adapter';
import type { RedisStreamTransport } from '@waybill/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { hasRedis } from '../../scripts/services/test-redis.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import type { Bench } from './support/bench.ts';
import { refusalOf } from './support/doors.ts';
import { wireEvent, wireText } from './support/messages.ts';
import { openRedisBench } from './support/open-bench.ts';
import { openTestRedis, type TestKeys } from './support/open-test-redis.ts';

type Fields = readonly (string | Buffer)[];

const labels = ['id', 'e-1', 'type', 'item.received', 'key', 'item-1'];
const notUtf8 = Buffer.from(wireText('"\u00ff"'), 'latin1');
const foreign = 'application/x-redis-stream-entry';

/** What somebody has put into a stream by hand, and what is kept of it. */
const deadEntries: [string, Fields, Partial<Message>][] = [
  ['32 keeps an entry with an empty event', [...labels, 'event', ''], { body: '' }],
  ['32 keeps an entry whose event was cut off', [...labels, 'event', '{"id'], { body: '{"id' }],
  [
    '32 keeps an entry without an event, whole',
    ['sku', 'ABC123', 'sku', 'DEF456', '', ''],
    { body: '["sku","ABC123","sku","DEF456","",""]', contentType: foreign },
  ],
  [
    '32 keeps an entry with labels alone',
    labels,
    { body: JSON.stringify(labels), contentType: foreign },
  ],
  [
    '31 keeps an entry of ten thousand fields',
    Array.from({ length: 10_000 }, (_, index) => [`name-${index}`, 'x']).flat(),
    { body: expect.stringMatching(/^\["name-0","x",.*"name-9999","x"\]$/), contentType: foreign },
  ],
  [
    '19 keeps bytes that are no UTF-8, byte by byte',
    [...labels, 'event', notUtf8],
    { body: notUtf8 },
  ],
  [
    '19 keeps such bytes among fields in another order',
    ['event', notUtf8, 'note', 'by hand'],
    { body: notUtf8 },
  ],
  [
    '1 keeps an entry whose event has no id',
    [...labels, 'event', JSON.stringify({ ...wireEvent(), id: undefined })],
    { body: expect.stringContaining('"specversion":"1.0"') },
  ],
  [
    '1 keeps headers that cannot be read',
    [...labels, 'event', '', 'headers', 'by hand'],
    { headers: [['headers', 'by hand']] },
  ],
];

const goodEntries: [string, (event: string) => Fields][] = [
  ['1 reads an entry that has nothing but an event', (event) => ['event', event]],
  [
    '1 reads an entry without a label of its id',
    (event) => ['type', 'item.received', 'event', event],
  ],
  [
    '1 reads an entry with empty labels',
    (event) => ['id', '', 'type', '', 'key', '', 'event', event],
  ],
  ['1 reads an entry with further fields', (event) => [...labels, 'event', event, 'by', 'hand']],
];

describe.skipIf(!hasRedis())('over Redis, by hand', () => {
  describe('entries', () => {
    let keys: TestKeys;
    let bench: Bench;
    beforeAll(async () => {
      keys = openTestRedis();
      bench = await openRedisBench(keys);
    });
    afterAll(() => bench?.close());

    /** @returns Name of the stream, and id of the entry that it has now. */
    async function add(fields: Fields): Promise<{ stream: string; position: string }> {
      const stream = `${keys.streamPrefix}item`;
      const position = (await keys.redis.call('XADD', stream, '*', ...fields)) as string;
      return { stream, position };
    }

    it.each(deadEntries)('%s', async (_, fields, parts) => {
      await bench.newDeadLetters();
      const place = await add(fields);
      await bench.flows('item-1');
      await waitUntil('it is settled', async () => {
        const [pending] = await keys.redis.xpending(place.stream, 'quickgradez-group');
        return pending === 0;
      });
      const [letter, ...others] = await bench.newDeadLetters();
      expect(others).toEqual([]);
      expect(letter).toMatchObject({
        message: { contentType: 'application/cloudevents+json', ...parts },
        coordinates: { transport: 'redis', ...place },
        status: 'pending',
        failureType: 'permanent',
        errorCode: expect.stringMatching(/^(MESSAGE_UNPARSEABLE|ENVELOPE_INVALID)$/),
      });
      expect(bench.health()).toEqual({ status: 'ok', reasons: [] });
    });

    it.each(goodEntries)('%s', async (_, fields) => {
      await bench.newDeadLetters();
      const event = wireEvent();
      await add(fields(JSON.stringify(event)));
      expect(await bench.delivered(event.id)).toMatchObject({ data: event['data'] });
      expect(await bench.newDeadLetters()).toEqual([]);
    });
  });

  describe('keys of another kind', () => {
    let keys: TestKeys;
    let bus: RedisStreamEventBus;
    let received: string[];
    const observed: Observation[] = [];
    const taken = { code: 'TRANSPORT_UNAVAILABLE', retryable: false };
    const says = /WRONGTYPE .*; a key of this name holds something else: choose another prefix/;

    beforeEach(async () => {
      keys = openTestRedis();
      received = [];
      observed.length = 0;
      bus = new RedisStreamEventBus({
        redis: keys.redis,
        streamPrefix: keys.streamPrefix,
        serviceName: 'quickgradez',
        maxStreamLength: 1,
        reclaimEveryMs: 20,
        observer: (seen) => void observed.push(seen),
      });
      await bus.connect();
    });
    afterEach(async () => {
      await bus.shutdown();
      await keys.clear();
    });

    const publish = (type: string): Promise<EventEnvelope> =>
      new EventPublisher({ serviceName: 'quickintakez', eventBus: bus }).publish({
        type,
        data: {},
      });
    const nameOf = (name: string): string => `${keys.streamPrefix}${name}`;

    it('51 refuses to publish to a name that is taken, and publishes everything else', async () => {
      await keys.redis.set(nameOf('item'), 'x');
      const refusal = await refusalOf(() => publish('item.received'));
      expect(refusal).toMatchObject(taken);
      expect(String(refusal)).toMatch(says);
      expect(String(refusal)).toMatch(/could not take item\.received [0-9a-f-]{36}/);
      await publish('bid.placed');
      expect(await keys.redis.get(nameOf('item'))).toBe('x');
      expect(await bus.getStreamInfo(nameOf('bid'))).toMatchObject({ length: 1 });
      await publish('bid.placed');
      // Not held up by what it could not publish to.
      expect(await (bus.transport as RedisStreamTransport).trim()).toBe(1);
    });

    it('51 does not let such a name reach groups that take all streams', async () => {
      const subscriber = new EventSubscriber(bus);
      subscriber.onDomain('*', ({ type }) => void received.push(type));
      await subscriber.start();
      await keys.redis.set(nameOf('item'), 'x');
      expect(await refusalOf(() => publish('item.received'))).toMatchObject(taken);
      await publish('bid.placed');
      await waitUntil('the other domain was handled', () => received.length > 0);
      await keys.redis.del(nameOf('item'));
      await publish('item.received');
      await waitUntil('so is this one, once the name is free', () => received.length > 1);
      expect(received).toEqual(['bid.placed', 'item.received']);
      expect(subscriber.health()).toEqual({ status: 'ok', reasons: [] });
    });

    it('51 refuses to consume from a name that is taken', async () => {
      await keys.redis.set(nameOf('item'), 'x');
      const subscriber = new EventSubscriber(bus).on('item.received', () => undefined);
      const refusal = await refusalOf(() => subscriber.start());
      expect(refusal).toMatchObject(taken);
      expect(String(refusal)).toMatch(says);
      expect(await keys.redis.get(nameOf('item'))).toBe('x');
    });

    it('51 ends a consumer whose stream somebody has overwritten, and says why', async () => {
      const subscriber = new EventSubscriber(bus).on('item.received', () => undefined);
      await subscriber.start();
      await keys.redis.set(nameOf('item'), 'x');
      await waitUntil('it has failed', () => subscriber.health().status === 'failed');
      expect(subscriber.health().reasons).toEqual([expect.stringMatching(says)]);
      expect(observed).toContainEqual({
        kind: 'consume-failed',
        group: 'quickgradez-group',
        error: expect.objectContaining(taken),
      });
    });

    it('51 keeps an event until its dead letter can be stored', async () => {
      await keys.redis.set(nameOf(':dead-letters'), 'x');
      const subscriber = new EventSubscriber(bus).on(
        'item.received',
        () => {
          throw new Error('no shelf');
        },
        { retry: { maxRetries: 0 } },
      );
      await subscriber.start();
      const { id } = await publish('item.received');
      await waitUntil('the dead letter was refused', () =>
        observed.some(({ kind }) => kind === 'dead-letter-failed'),
      );
      const failed = observed.find((seen) => seen.kind === 'dead-letter-failed');
      expect(failed).toMatchObject({ error: taken });
      expect((await keys.redis.xpending(nameOf('item'), 'quickgradez-group'))[0]).toBe(1);
      await keys.redis.del(nameOf(':dead-letters'));
      const { redis, streamPrefix } = keys;
      const deadLetters = new RedisDeadLetterQueue({ redis, streamPrefix });
      await waitUntil('it is stored', async () => (await deadLetters.list()).length === 1);
      expect(await deadLetters.list()).toMatchObject([{ eventId: id, failureReason: 'no shelf' }]);
    });

    it('51 refuses an idempotency key whose name is taken, and leaves it as it is', async () => {
      const keyPrefix = nameOf('keys:');
      const handler = new IdempotencyHandler({ redis: keys.redis, keyPrefix });
      await keys.redis.set(`${keyPrefix}scale-1`, 'x');
      const weigh = vi.fn<() => string>();
      const refusal = await refusalOf(() => handler.executeIdempotent('scale-1', 'weigh', weigh));
      expect(refusal).toMatchObject(taken);
      expect(String(refusal)).toMatch(says);
      expect(weigh).not.toHaveBeenCalled();
      expect(await keys.redis.get(`${keyPrefix}scale-1`)).toBe('x');
    });
  });
});
