// Inputs 31, 57 and 60 on a Redis server of their own.

import { inspect } from 'node:util';

import {
  EventPublisher,
  EventSubscriber,
  IdempotencyHandler,
  RedisDeadLetterQueue,
  RedisStreamEventBus,
  type RedisSource,
} from '@quickwms/events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  canStartRedis,
  startTestRedis,
  type TestRedis,
} from '../../scripts/services/test-redis.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { refusalOf } from './support/doors.ts';
import { messageOf, wireEvent } from './support/messages.ts';

const serviceName = 'quickgradez';
/** Stands nowhere but in passwords. */
const secret = 'hunter2';
const password = `p@ss/w#r?d%:"'\\ ü ${secret}`;

describe.skipIf(!(await canStartRedis()))('over a Redis server of its own', () => {
  let server: TestRedis;
  let admin: Redis;
  let place: { host: string; port: number };
  beforeAll(async () => {
    server = await startTestRedis();
    admin = new Redis(server.url);
    const { hostname, port } = new URL(server.url);
    place = { host: hostname, port: Number(port) };
    await admin.call('ACL', 'SETUSER', 'd@ck', 'on', `>${password}`, '~*', '&*', '+@all');
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    await admin.config('SET', 'requirepass', password);
  });

  it('31 keeps a body of 100 MB as a dead letter, and goes on', async () => {
    const redis = { ...place, password };
    const bus = new RedisStreamEventBus({ serviceName, redis, timeoutMs: 60_000 });
    const handled: string[] = [];
    const subscriber = new EventSubscriber(bus).onDomain('*', ({ id }) => void handled.push(id));
    await subscriber.start();
    const body = Buffer.alloc(100_000_000, 'x');
    const good = wireEvent();
    await bus.transport.publish([messageOf(body)]);
    await bus.transport.publish([messageOf(JSON.stringify(good))]);
    await waitUntil('the good one was handled', () => handled.length > 0, 100_000);
    expect(handled).toEqual([good.id]);
    const [letter] = await new RedisDeadLetterQueue({
      redis: admin,
      streamPrefix: 'quickwms:events:',
    }).list();
    expect(letter).toMatchObject({
      errorCode: 'MESSAGE_UNPARSEABLE',
      failureReason: expect.stringContaining(
        'the body takes 100000000 bytes, the limit is 1048576',
      ),
    });
    expect(body.equals(Buffer.from(letter!.message.body))).toBe(true);
    expect(subscriber.health()).toEqual({ status: 'ok', reasons: [] });
    await bus.shutdown();
  }, 120_000);

  const encoded = encodeURIComponent(password);
  const ways: [string, () => RedisSource][] = [
    ['as a URL wants it', () => `redis://:${encoded}@${place.host}:${place.port}`],
    ['so, beside a user', () => `redis://d%40ck:${encoded}@${place.host}:${place.port}/3`],
    ['as it is, in options', () => ({ ...place, password })],
    ['as it is, beside a user', () => ({ ...place, username: 'd@ck', password, db: 3 })],
    ['as it is, in a client', () => new Redis({ ...place, password, lazyConnect: true })],
  ];
  it.each(ways)('60 connects with a password that holds @, /, ?, # and %%, %s', async (_, at) => {
    const redis = at();
    const bus = new RedisStreamEventBus({ serviceName, redis, streamPrefix: 'connects:' });
    const received: string[] = [];
    await bus.subscribe(['item.received'], ({ id }) => void received.push(id));
    await bus.connect();
    await bus.start();
    const publisher = new EventPublisher({ serviceName, eventBus: bus });
    const { id } = await publisher.publish({ type: 'item.received', data: {} });
    await waitUntil('it was received', () => received.length > 0);
    expect(received).toEqual([id]);
    await bus.shutdown();
    if (redis instanceof Redis) redis.disconnect();
  });

  it('57 refuses a database that the server has not got, instead of taking another one', async () => {
    const redis = { ...place, password, db: 9_999 };
    const bus = new RedisStreamEventBus({ serviceName, redis });
    const refusal = await refusalOf(() => bus.connect());
    expect(refusal).toMatchObject({ code: 'TRANSPORT_UNAVAILABLE', retryable: false });
    expect(String(refusal)).toMatch(/DB index is out of range/);
    await bus.shutdown();
  });

  it('60 never shows a password, whatever goes wrong', async () => {
    const said: unknown[] = [];
    const say = (...what: unknown[]): void => void said.push(...what);
    for (const method of ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const) {
      vi.spyOn(console, method).mockImplementation(say);
    }
    process.on('warning', say);
    const open = (redis: RedisSource): RedisStreamEventBus =>
      new RedisStreamEventBus({
        serviceName,
        redis,
        streamPrefix: 'shows:',
        timeoutMs: 10_000,
        claimMs: 300,
        observer: say,
      });

    // The wrong one, in each way to give it; and one where none is asked for.
    const wrong = `${secret} mistyped`;
    const wrongUrl = `redis://:${encodeURIComponent(wrong)}@${place.host}:${place.port}`;
    for (const redis of [{ ...place, password: wrong }, wrongUrl]) {
      const bus = open(redis);
      const refusal = await refusalOf(() => bus.connect());
      expect(refusal).toMatchObject({ code: 'ACCESS_REFUSED', retryable: false });
      say(refusal);
      const dead = new RedisDeadLetterQueue({ redis });
      say(await refusalOf(() => dead.list()));
      dead.close();
      const operations = new IdempotencyHandler({ redis });
      say(await refusalOf(() => operations.executeIdempotent('key', 'weigh', () => 'done')));
      operations.close();
      await bus.shutdown();
    }
    const client = new Redis({ ...place, password: wrong });
    say(await refusalOf(() => new RedisDeadLetterQueue({ redis: client }).list()));
    client.disconnect();
    await admin.config('SET', 'requirepass', '');
    const generous = open({ ...place, password });
    await generous.connect();
    await generous.shutdown();
    await admin.config('SET', 'requirepass', password);

    // A consumer at work whose password is changed under its hands.
    const bus = open({ ...place, password });
    for (const event of ['published', 'processed', 'processingError', 'deadLetter'] as const) {
      bus.on(event, say);
    }
    const subscriber = new EventSubscriber(bus);
    const { promise: shelved, resolve: shelve } = Promise.withResolvers<void>();
    subscriber.on('item.received', () => shelved);
    subscriber.on('item.sold', () => {
      throw new Error('no shelf');
    });
    await subscriber.start();
    const publisher = new EventPublisher({ serviceName, eventBus: bus, observer: say });
    await publisher.publish({ type: 'item.received', data: {} });
    say(inspect(bus, { depth: 20, showHidden: true }));
    await admin.config('SET', 'requirepass', `${secret} changed`);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitUntil('it is refused', () =>
      subscriber.health().reasons.join().includes('WRONGPASS'),
    );
    shelve();
    say(subscriber.health());
    say(await refusalOf(() => publisher.publish({ type: 'item.sold', data: {} })));
    say(await refusalOf(() => bus.getStreamInfo('shows:item')));
    await bus.shutdown().catch(say);
    process.off('warning', say);
    vi.restoreAllMocks();

    const everything = said
      .map((each) => inspect(each, { depth: 20, showHidden: true }))
      .join('\n');
    expect(everything).toMatch(/WRONGPASS/);
    expect(everything).toMatch(/kind: 'consume-failed'/);
    expect(everything).toMatch(/password was supplied/);
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(encodeURIComponent(secret));
  });
});
