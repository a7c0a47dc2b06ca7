import { setTimeout as sleep } from 'node:timers/promises';

import { spawnWorker } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { canStartRedis, hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { draftIn, Load, publishStubbornly } from './support/load.ts';
import { isWithin } from './support/lost-ranges.ts';
import { ownServer } from './support/own-server.ts';
import { randomOf, seeds } from './support/seeds.ts';
import { StreamRig } from './support/stream-rig.ts';
import type { ShortLivedArgs } from './workers/short-lived.ts';

const maxInFlight = 20;
const load = { keys: 4, pauseMs: 2 };
const calm = { keys: 4, pauseMs: 10 };

describe.skipIf(!hasRedis() || !(await canStartRedis()))(
  'services on a Redis server that fails under load',
  { concurrent: true },
  () => {
    it.for(seeds(4))('lose nothing when it restarts with its data (seed %i)', async (seed) => {
      const random = randomOf(seed);
      await using own = await ownServer({ appendfsync: 'always' });
      const { redis, rig } = own;
      await rig.group(rig.bus('stock'), 'stock', { maxInFlight }).start();
      const dock = rig.bus('dock', { timeoutMs: 600 });
      const publishing = new Load(rig, rig.publisher(dock), load);
      const restarts = 3;
      for (let restart = 0; restart < restarts; restart += 1) {
        await sleep(200 + 400 * random());
        if (random() < 0.7) await redis.kill();
        await sleep(400 * random());
        await redis.restart({ keepData: true });
      }
      await sleep(300);
      await publishing.stop();
      await rig.handledBy('stock');
      await rig.settledBy('stock');

      // What was published without an answer is published again.
      const maxDuplicates = restarts * maxInFlight + publishing.refusals;
      const { violations, summary } = rig.verdict({ groups: ['stock'], maxDuplicates });
      expect(violations, summary).toEqual([]);
      expect(rig.observed('lost')).toEqual([]);
      expect(publishing.refusals).toBeGreaterThan(0);
    });

    it('lose nothing when it takes no writes for a while, and say so a few times a second', async () => {
      await using own = await ownServer();
      const { rig } = own;
      const { publishing, goOn } = await publishMuch(rig);
      const failures = rig.observed('consume-failed').length;
      await rig.admin.replicaof('127.0.0.1', 1); // a primary that is not there
      goOn(); // what is handled now cannot be settled
      await sleep(5_000);
      const said = rig.observed('consume-failed').length - failures;
      expect(said).toBeGreaterThan(0);
      expect(said).toBeLessThanOrEqual(25);
      await rig.admin.replicaof('NO', 'ONE');
      await sleep(300);
      await publishing.stop();
      await rig.handledBy('stock');
      await rig.settledBy('stock');
      const { violations } = rig.verdict({ groups: ['stock'], maxDuplicates: maxInFlight });
      expect(violations).toEqual([]);
      expect(publishing.refusals).toBeGreaterThan(0);
    });

    it.for(seeds(2))(
      'say what is lost when it restarts without its data, and go on (seed %i)',
      async (seed) => {
        const random = randomOf(seed);
        await using own = await ownServer();
        const { redis, rig } = own;
        const { publishing, goOn } = await publishMuch(rig);
        await sleep(200 * random());
        await redis.kill();
        const failures = rig.observed('consume-failed').length;
        await sleep(5_000);
        expect(rig.observed('consume-failed').length - failures).toBeLessThanOrEqual(25);
        await redis.restart({ keepData: false });
        goOn();
        await waitUntil('the group is there again', () => {
          return rig.warnings('GROUP_RECREATED').length > 0;
        });
        await sleep(200);
        await publishing.stop();
        await expectLossesToBeNamed(rig);
        expect(rig.observed('lost').map(({ group }) => group)).toContain(undefined);
      },
    );

    it('say what is missing when it comes back with older data, and go on', async () => {
      await using own = await ownServer({ appendonly: 'no', save: '' });
      const { redis, rig } = own;
      const gate = Promise.withResolvers<void>();
      const group = rig.group(rig.bus('stock'), 'stock', { maxInFlight: 4 }, async ({ id }) => {
        if (id.startsWith('late')) await gate.promise;
      });
      await group.start();
      const publisher = rig.publisher(rig.bus('dock'));
      const publish = async (key: string): Promise<void> => {
        for (let keySequence = 1; keySequence <= 10; keySequence += 1) {
          const draft = draftIn(key, keySequence);
          await publishStubbornly(publisher, draft);
          rig.entries.push({ kind: 'published', eventId: draft.id, key, keySequence });
        }
      };
      await publish('early');
      await rig.handledBy('stock');
      await rig.settledBy('stock');
      await rig.admin.save();
      await publish('late');
      await waitUntil('some are in hand', async () => (await rig.backlog('stock')) === 10);
      await redis.kill();
      await redis.restart({ keepData: true });
      gate.resolve();
      await waitUntil('both have said it', () => rig.observed('lost').length === 2);
      await publish('after');
      await waitUntil('it goes on', () => rig.ids('handled', 'stock').has('after-10'));

      const ranges = rig.observed('lost');
      expect(new Set(ranges.map((range) => range.group))).toEqual(new Set([undefined, 'stock']));
      const kept = rig.positions.get('early-10');
      for (const { after } of ranges) expect(after).toBe(kept);
      const missing = rig.missing('stock');
      expect(missing.length).toBeGreaterThan(0);
      expect(missing.filter((id) => !isWithin(rig.positions.get(id)!, ranges))).toEqual([]);
      expect([...rig.ids('handled', 'stock')]).toEqual(
        expect.arrayContaining(Array.from({ length: 10 }, (_, index) => `after-${index + 1}`)),
      );
    });

    it.for(seeds(3))('say what a FLUSHALL has taken, and go on (seed %i)', async (seed) => {
      const random = randomOf(seed);
      await using own = await ownServer();
      const { rig } = own;
      const { publishing, goOn } = await publishMuch(rig);
      await sleep(200 * random());
      await rig.admin.flushall();
      await sleep(200 * random());
      goOn();
      await sleep(200);
      await publishing.stop();
      await expectLossesToBeNamed(rig);
    });

    it('leave nothing pending when the server forgets its scripts', async () => {
      await using own = await ownServer();
      const { rig } = own;
      // Heartbeats come all the time, and so do ends of handlers while one is on its way.
      const bus = rig.bus('stock', { claimMs: 150 });
      const many = { concurrency: 50, maxInFlight: 200 };
      await rig.group(bus, 'stock', many, () => sleep(20 * Math.random())).start();
      const publisher = rig.publisher(rig.bus('dock'));
      const publishing = new Load(rig, publisher, { keys: 40, pauseMs: 1 });
      for (let flush = 0; flush < 40; flush += 1) {
        await sleep(50);
        await rig.admin.script('FLUSH');
      }
      await publishing.stop();
      await rig.handledBy('stock');
      await rig.settledBy('stock');
      expect(rig.verdict({ groups: ['stock'], maxDuplicates: 0 }).violations).toEqual([]);
    });
  },
);

describe.skipIf(!hasRedis())('a group on a stream that is destroyed', { concurrent: true }, () => {
  it('is made anew again and again, and loses nothing', async () => {
    await using rig = new StreamRig(redisUrl());
    await rig.group(rig.bus('stock'), 'stock', { maxInFlight }).start();
    const publishing = new Load(rig, rig.publisher(rig.bus('dock')), load);
    for (let destroyed = 0; destroyed < 5; destroyed += 1) {
      await sleep(200 + 200 * Math.random());
      await rig.admin.xgroup('DESTROY', rig.stream, 'stock');
    }
    await sleep(300);
    await publishing.stop();
    await rig.handledBy('stock');
    await rig.settledBy('stock');
    const { violations } = rig.verdict({ groups: ['stock'] });
    expect(violations).toEqual([]);
    expect(rig.warnings('GROUP_RECREATED').length).toBeGreaterThan(0);
    expect(rig.observed('lost')).toEqual([]);
  });

  it('gives back what a process had in hand that has just died', async () => {
    await using rig = new StreamRig(redisUrl());
    await rig.group(rig.bus('stock'), 'stock', { maxInFlight: 4 }).start();
    const publisher = rig.publisher(rig.bus('dock'));
    const args: ShortLivedArgs = {
      redisUrl: redisUrl(),
      prefix: rig.prefix,
      claimMs: 1_000, // gives three signs of life before the other one would take what it has
      names: ['doomed'],
    };
    await using doomed = spawnWorker(new URL('workers/short-lived.ts', import.meta.url), args);
    let isHolding = false;
    const holding = doomed.message('holding').then(() => (isHolding = true));
    for (let number = 1; !isHolding; number += 1) {
      const draft = draftIn(`item-${number}`, 1);
      await publisher.publish(draft);
      rig.entries.push({ kind: 'published', eventId: draft.id });
    }
    await holding;
    await waitUntil('the other one has nothing left', async () => {
      return [...(await rig.holders('stock')).keys()].join() === 'doomed';
    });
    await doomed.kill();
    await rig.admin.xgroup('DESTROY', rig.stream, 'stock');

    await rig.handledBy('stock');
    await rig.settledBy('stock');
    expect(rig.verdict({ groups: ['stock'] }).violations).toEqual([]);
    expect(rig.warnings('GROUP_RECREATED')).toHaveLength(1);
  });

  it('does not begin from the start when it had settled everything', async () => {
    await using rig = new StreamRig(redisUrl());
    const publisher = rig.publisher(rig.bus('dock'));
    const first = rig.group(rig.bus('stock'), 'stock');
    await first.start();
    for (let keySequence = 1; keySequence <= 50; keySequence += 1) {
      const draft = draftIn('item', keySequence);
      await publisher.publish(draft);
      rig.entries.push({ kind: 'published', eventId: draft.id, key: 'item', keySequence });
    }
    await rig.handledBy('stock');
    await first.stop();
    // It has read nothing itself when its group vanishes.
    await rig.group(rig.bus('again'), 'stock').start();
    await waitUntil('it has begun to read', async () => {
      const clients = String(await rig.admin.client('LIST')).split('\n');
      return clients.some((each) => each.includes('name=again:') && /cmd=xreadgroup/.test(each));
    });
    await rig.admin.xgroup('DESTROY', rig.stream, 'stock');
    await waitUntil('it is there again', () => rig.warnings('GROUP_RECREATED').length === 1);
    const draft = draftIn('item', 51);
    await publisher.publish(draft);
    rig.entries.push({ kind: 'published', eventId: draft.id, key: 'item', keySequence: 51 });
    await rig.handledBy('stock');
    expect(rig.verdict({ groups: ['stock'], maxDuplicates: 0 }).violations).toEqual([]);
  });
});

/** Publishes, to a group that handles nothing until it is told to `goOn`, much more than it has in hand. */
async function publishMuch(rig: StreamRig): Promise<{ publishing: Load; goOn: () => void }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await rig.group(rig.bus('stock'), 'stock', { maxInFlight }, () => promise).start();
  const publishing = new Load(rig, rig.publisher(rig.bus('dock')), calm);
  await waitUntil('much is not read yet', async () => {
    return (await rig.backlog('stock')) > 4 * maxInFlight;
  });
  return { publishing, goOn: resolve };
}

/** Waits until what is there is handled, and compares what is not with what was reported. */
async function expectLossesToBeNamed(rig: StreamRig): Promise<void> {
  const isThere = async (): Promise<Set<string>> => {
    const entries = await rig.admin.xrange(rig.stream, '-', '+');
    return new Set(entries.map(([, fields]) => fields[1]!));
  };
  await waitUntil('what is there is handled', async () => {
    const there = await isThere();
    return rig.missing('stock').every((id) => !there.has(id));
  });
  await rig.settledBy('stock');
  const missing = rig.missing('stock');
  expect(missing.length, 'something was lost, or nothing was tried').toBeGreaterThan(0);
  const ranges = rig.observed('lost');
  expect(ranges.every(({ reason }) => reason === 'broker-lost-data')).toBe(true);
  expect(ranges.map(({ group }) => group)).toContain('stock');
  expect(rig.warnings('GROUP_RECREATED')).toHaveLength(1);
  const unnamed = missing.filter((id) => !isWithin(rig.positions.get(id)!, ranges));
  expect(unnamed).toEqual([]);
  expect(ranges.length).toBeLessThanOrEqual(4);
  const dropped = missing.map((eventId) => {
    return { kind: 'dropped', group: 'stock', eventId } as const;
  });
  const { violations } = rig.verdict({ groups: ['stock'] }, dropped);
  expect(violations).toEqual([]);
}
