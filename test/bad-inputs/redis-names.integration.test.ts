// Inputs 47 to 51 on Redis: names that people have chosen, as far as they are taken.

import { randomUUID } from 'node:crypto';

import {
  EventPublisher,
  EventSubscriber,
  IdempotencyHandler,
  RedisDeadLetterQueue,
  RedisStreamEventBus,
} from '@quickwms/events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { hasRedis } from '../../scripts/services/test-redis.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { openTestRedis, type TestKeys } from './support/open-test-redis.ts';

interface ChosenNames {
  readonly prefix: string;
  /** Name of the group, of the handler, of the idempotent operation, and a part of its key. */
  readonly group: string;
  readonly service: string;
}

describe.skipIf(!hasRedis())('names on Redis', () => {
  let keys: TestKeys;
  beforeAll(() => {
    keys = openTestRedis();
  });
  afterAll(async () => {
    if (madeKeys.length > 0) await keys.redis.del(...madeKeys);
    await keys.clear();
  });
  const madeKeys: string[] = [];
  const buses: RedisStreamEventBus[] = [];
  afterEach(async () => {
    for (const bus of buses.splice(0)) await bus.shutdown();
  });

  /** A bus that is shut down after the test. */
  function openBus(streamPrefix: string, serviceName: string): RedisStreamEventBus {
    const bus = new RedisStreamEventBus({ redis: keys.redis, streamPrefix, serviceName });
    buses.push(bus);
    return bus;
  }

  /**
   * Takes one event through every part of the library that is on Redis under the chosen names: stream, group,
   * consumer, dead letter, redrive, idempotency key.
   */
  async function assertWholeLife({ prefix, group, service }: ChosenNames): Promise<void> {
    const { redis } = keys;
    const bus = openBus(prefix, service);
    const subscriber = new EventSubscriber(bus, { group, redrivePollMs: 20 });
    const handled: string[] = [];
    let shelfIsFull = true;
    subscriber.on(
      'item.received',
      ({ id }, context) => {
        if (shelfIsFull) throw new Error('the shelf is full');
        handled.push(`${id} ${context.group} ${context.handler}`);
      },
      { name: group, retry: { maxRetries: 0 } },
    );
    await subscriber.start();
    const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
    const { id } = await publisher.publish({ type: 'item.received', data: {} });
    const dead = new RedisDeadLetterQueue({ redis, streamPrefix: prefix });
    await waitUntil('it is a dead letter', async () => (await dead.list({ group })).length === 1);
    const [letter] = await dead.list();
    const handling = { group, handler: group, eventId: id };
    expect(await dead.find([{ ...handling, source: 'quickintakez' }])).toEqual([letter]);
    expect(letter).toMatchObject({ ...handling, coordinates: { stream: `${prefix}item` } });
    shelfIsFull = false;
    await dead.redrive(letter!.id);
    await waitUntil(
      'it was run again',
      async () => (await dead.get(letter!.id))?.status === 'resolved',
    );
    expect(handled).toEqual([`${id} ${group} ${group}`]);

    // As long and as odd, and another one: keys are free to be named like streams.
    const keyPrefix = prefix.replace(keys.streamPrefix, keys.streamPrefix.toUpperCase());
    madeKeys.push(keyPrefix + group);
    const operations = new IdempotencyHandler({ redis, keyPrefix });
    const run = (result: string): Promise<string> =>
      operations.executeIdempotent(group, group, () => result);
    expect([await run('done'), await run('again')]).toEqual(['done', 'done']);

    const groupsNow = async () => (await bus.getStreamInfo(`${prefix}item`)).groups;
    await waitUntil('it is settled', async () =>
      (await groupsNow()).every(({ pending }) => pending === 0),
    );
    expect(await groupsNow()).toMatchObject([{ name: group, pending: 0, lag: 0, consumers: 1 }]);
    await bus.shutdown();
  }

  /** Every name on the server that is not of other tests. */
  async function namesOfOurs(mark: string): Promise<string[]> {
    const names: string[] = [];
    for await (const found of keys.redis.scanStream({ count: 1_000 })) {
      names.push(...(found as string[]).filter((name) => name.includes(mark)));
    }
    return names.toSorted();
  }

  /** A prefix that is removed at the end, with something awkward in it. */
  const prefixOf = (mark: string, awkward: string): string =>
    `${keys.streamPrefix}${mark}${awkward}`;

  const attack = '"; FLUSHALL; --';
  it.each([
    ['47 takes names that attack', 'a;--:', `a${attack}`, `b${attack}`],
    [
      '47 takes names that are Lua',
      'return:redis.call(KEYS,1)--',
      `' .. redis.call('FLUSHALL') .. '`,
      '$(reboot)',
    ],
    ['48 takes names that commands have words for', '$', 'STREAMS', '>'],
    ['48 takes names that ids look like', '0-0', '0-0', '*'],
    ['48 takes names with pattern signs, where they are no prefix', '-', '*', '[a-z]?{x}'],
    ['48 takes names with quotes and separators', '::', `it's "quoted":{a}`, ':streams'],
    [
      '48 takes names of the keys that the library makes',
      'dead-letters:',
      ':dead-letters',
      'waybill',
    ],
    ['51 takes names of any script', 'größe/☃.#%:', 'größe ☃', 'Événements'],
  ])('%s', async (_, awkward, group, service) => {
    const mark = randomUUID();
    const prefix = prefixOf(mark, awkward);
    await assertWholeLife({ prefix, group, service });
    const names = await namesOfOurs(mark);
    expect(names).toContain(`${prefix}item`);
    const strange = names.filter((name) => !name.startsWith(prefix) && !madeKeys.includes(name));
    expect(strange).toEqual([]);
  });

  it('49 takes the longest names that there are, whole', async () => {
    const mark = randomUUID();
    const long = prefixOf(mark, '');
    const prefix = `${long}${'ü'.repeat(254 - long.length)}:`;
    await assertWholeLife({ prefix, group: '☃'.repeat(255), service: 'x'.repeat(249) });
    expect(await namesOfOurs(mark)).toContain(`${prefix}item`);
  });

  it('50 keeps two names apart that differ in their last character alone', async () => {
    const mark = randomUUID();
    const common = prefixOf(mark, '');
    const prefixes = ['1', '2'].map((last) => common + 'x'.repeat(254 - common.length) + last);
    for (const prefix of prefixes) {
      await assertWholeLife({
        prefix,
        group: 'g'.repeat(254) + prefix.at(-1),
        service: 'quickgradez',
      });
    }
    for (const prefix of prefixes) expect(await keys.redis.xlen(`${prefix}item`)).toBe(1);
  });

  it('50 gives an event to each of two groups whose names differ in their last character alone', async () => {
    const bus = openBus(prefixOf(randomUUID(), ':'), 'quickgradez');
    const received: string[] = [];
    for (const last of ['1', '2']) {
      const subscriber = new EventSubscriber(bus, { group: 'g'.repeat(254) + last });
      subscriber.on('item.received', () => void received.push(last));
      await subscriber.start();
    }
    const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
    await publisher.publish({ type: 'item.received', data: {} });
    await waitUntil('both have it', () => received.length === 2);
    expect(received.toSorted()).toEqual(['1', '2']);
  });

  it('51 keeps services apart that share a server under prefixes of their own', async () => {
    const mark = randomUUID();
    const received: string[] = [];
    // Also where one prefix begins with the other.
    const prefixes = [prefixOf(mark, 'a:'), prefixOf(mark, 'a:b:'), prefixOf(mark, 'A:')];
    const own = prefixes.map((prefix) => openBus(prefix, 'quickgradez'));
    for (const [index, bus] of own.entries()) {
      const subscriber = new EventSubscriber(bus);
      subscriber.onDomain('*', ({ type }) => void received.push(`${index} ${type}`));
      await subscriber.start();
    }
    for (const [index, eventBus] of own.entries()) {
      const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus });
      await publisher.publish({ type: `dock.opened_${index}`, data: {} });
    }
    await waitUntil('each has its own', () => received.length >= prefixes.length);
    expect(received.toSorted()).toEqual(['0 dock.opened_0', '1 dock.opened_1', '2 dock.opened_2']);
  });

  it('51 shows a service by its name among the connections of the server, as far as Redis takes it', async () => {
    const mark = randomUUID();
    const bus = openBus(prefixOf(mark, ':'), `größe ☃ ${mark}`);
    await bus.subscribe(['item.received'], () => undefined);
    await bus.connect();
    await bus.start();
    const namesNow = async () => {
      const list = String(await keys.redis.client('LIST')).split('\n');
      const names = list.map((line) => / name=(\S*)/.exec(line)?.[1] ?? '');
      return names.filter((name) => name.includes(mark)).toSorted();
    };
    await waitUntil('both connections are there', async () => (await namesNow()).length > 1);
    expect(await namesNow()).toEqual([
      `gr__e___${mark}`,
      expect.stringMatching(`^gr__e___${mark}:gr__e___${mark}-group-`),
    ]);
  });
});
