import { setTimeout as sleep } from 'node:timers/promises';

import { crashingRedisClient, startFaultProxy } from '@waybill/testing';
import type { CrashPoints, FaultProxy } from '@waybill/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import {
  canStartRedis,
  hasRedis,
  redisUrl,
  startTestRedis,
} from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { copiesOf } from './support/copies-of.ts';
import { draftIn, Load, publishStubbornly } from './support/load.ts';
import { randomOf, seeds } from './support/seeds.ts';
import { StreamRig } from './support/stream-rig.ts';

const maxInFlight = 20;
const load = { keys: 4, pauseMs: 2 };
const timeoutMs = 600;

/** A network in front of the run's server that can be broken, and services behind it. */
async function throughProxy(): Promise<AsyncDisposable & { proxy: FaultProxy; url: string }> {
  const url = new URL(redisUrl());
  const proxy = await startFaultProxy({ to: { host: url.hostname, port: Number(url.port) } });
  url.host = `${proxy.host}:${proxy.port}`;
  return { proxy, url: url.href, [Symbol.asyncDispose]: () => proxy.stop() };
}

/** Fails the test that is under way if a promise is rejected and nobody looks. */
function watchRejections(): Disposable & { readonly seen: unknown[] } {
  const seen: unknown[] = [];
  const note = (reason: unknown): void => void seen.push(reason);
  process.on('unhandledRejection', note);
  return { seen, [Symbol.dispose]: () => void process.off('unhandledRejection', note) };
}

describe.skipIf(!hasRedis() || !(await canStartRedis()))(
  'services whose connections are killed',
  () => {
    it.for(seeds(2))('lose nothing, and leak nothing (seed %i)', async (seed) => {
      const random = randomOf(seed);
      using rejections = watchRejections();
      const redis = await startTestRedis();
      const client = counting(redis.url);
      const rig = new StreamRig(redis.url, client);
      try {
        const group = rig.group(rig.bus('stock', { timeoutMs: 5_000 }), 'stock', { maxInFlight });
        await group.start();
        const publisher = rig.publisher(rig.bus('dock', { timeoutMs: 5_000 }));
        await publisher.publish(draftIn('first', 1));
        rig.entries.push({ kind: 'published', eventId: 'first-1' });
        await rig.handledBy('stock');
        const before = { clients: await clientsOf(rig), listeners: client.countListeners() };

        const publishing = new Load(rig, publisher, load);
        const kills = 8;
        for (let kill = 0; kill < kills; kill += 1) {
          await sleep(500 + 500 * random());
          await rig.admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
          if (kill === 2 || kill === 5) await rig.admin.client('PAUSE', 2_000, 'WRITE');
        }
        await sleep(500);
        await publishing.stop();
        await rig.handledBy('stock');
        await rig.settledBy('stock');

        const maxDuplicates = kills * maxInFlight;
        const { violations, summary } = rig.verdict({ groups: ['stock'], maxDuplicates });
        expect(violations, summary).toEqual([]);
        expect(rig.observed('lost')).toEqual([]);
        await waitUntil('there are as many connections as before', async () => {
          return (await clientsOf(rig)).join() === before.clients.join();
        });
        // A connection that the server knows already may be about to be ready here.
        await waitUntil('nothing listens that did not before', () => {
          return client.countListeners().join() === before.listeners.join();
        });
        expect(rejections.seen).toEqual([]);
      } finally {
        await rig.close();
        await redis.stop();
      }
    });
  },
);

describe.skipIf(!hasRedis())(
  'a network that breaks between services and Redis',
  { concurrent: true },
  () => {
    it('leaves no call without an end when nothing gets through, and none after that', async () => {
      using rejections = watchRejections();
      await using network = await throughProxy();
      const { proxy, url } = network;
      await using rig = new StreamRig(redisUrl(), url);
      const bus = rig.bus('stock', { timeoutMs });
      await rig.started(rig.group(bus, 'stock', { maxInFlight }));
      const leaving = rig.group(rig.bus('leaving', { timeoutMs }), 'leaving');
      await rig.started(leaving);
      const dock = rig.bus('dock', { timeoutMs });
      const publisher = rig.publisher(dock);
      const publishing = new Load(rig, publisher, load);
      await sleep(300);

      const { accepted } = proxy;
      await proxy.switchTo({ kind: 'black-hole' });
      const late = rig.bus('late', { timeoutMs });
      const calls = [
        ...Array.from({ length: 5 }, (_, index) => publisher.publish(draftIn('hole', index + 1))),
        dock.transport.inspect(),
        bus.getGroupInfo(rig.stream),
        late.connect(),
      ];
      const starting = rig.group(late, 'late').start();
      const outcomes = await endedWithin(calls);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: { code: 'TRANSPORT_UNAVAILABLE', retryable: true },
        });
      }
      const [left] = await endedWithin([leaving.stop({ deadlineMs: 0 })]);
      expect(left!.status, 'a group stops, with or without Redis').toBeDefined();
      const renewed = 'what gives no answer is not used any more';
      expect(proxy.accepted - accepted, renewed).toBeGreaterThanOrEqual(4);
      await proxy.switchTo({ kind: 'pass' });
      await starting;

      await sleep(300);
      await publishing.stop();
      await rig.handledBy('stock');
      await rig.settledBy('stock');
      const known = rig.entries.filter(({ key }) => key !== 'hole');
      rig.entries.splice(0, rig.entries.length, ...known);
      const { violations } = rig.verdict({ groups: ['stock'], maxDuplicates: 2 * maxInFlight });
      expect(violations).toEqual([]);
      expect(rejections.seen).toEqual([]);
    });

    it('is tried again when a connection was taken and is never answered', async () => {
      await using network = await throughProxy();
      const { proxy, url } = network;
      await using rig = new StreamRig(redisUrl(), url);
      await rig.started(rig.group(rig.bus('stock', { timeoutMs }), 'stock', { maxInFlight }));
      const publisher = rig.publisher(rig.bus('dock', { timeoutMs }));
      const publishing = new Load(rig, publisher, load);
      await sleep(200);

      // A network that has forgotten its connections, and takes new ones to where nobody is.
      await proxy.switchTo({ kind: 'reset' });
      const { accepted } = proxy;
      const { refusals } = publishing;
      await proxy.switchTo({ kind: 'deaf' });
      await waitUntil('everybody was taken in', () => proxy.accepted - accepted >= 3);
      await proxy.switchTo({ kind: 'pass' });
      // It may be a while until this goes on, and all that nobody answered may have been given up by now.
      const published = rig.ids('published').size;
      await waitUntil('somebody gets through again', () => {
        const isThrough = rig.ids('published').size > published;
        return isThrough && rig.missing('stock').length < maxInFlight;
      });
      expect(publishing.refusals).toBeGreaterThan(refusals);
      await publishing.stop();
      await rig.handledBy('stock');
      await rig.settledBy('stock');
      const { violations } = rig.verdict({ groups: ['stock'], maxDuplicates: maxInFlight });
      expect(violations).toEqual([]);
    });

    it.for(seeds(5))(
      'loses nothing wherever the answers are cut, and keeps every key in order (seed %i)',
      async (seed) => {
        const random = randomOf(seed);
        using rejections = watchRejections();
        await using network = await throughProxy();
        const { proxy, url } = network;
        await using rig = new StreamRig(redisUrl(), url);
        await rig.group(rig.bus('stock'), 'stock', { maxInFlight }).start();
        const publisher = rig.publisher(rig.bus('dock'));
        const publishing = new Load(rig, publisher, load);
        const cuts = 14;
        for (let cut = 0; cut < cuts; cut += 1) {
          await sleep(100 + 150 * random());
          const afterBytes = Math.floor(3_000 * random() ** 3);
          const mode = random();
          if (mode < 0.6) await proxy.switchTo({ kind: 'cut', direction: 'replies', afterBytes });
          else if (mode < 0.8) await proxy.switchTo({ kind: 'swallow-replies' });
          else await proxy.switchTo({ kind: 'cut', direction: 'requests', afterBytes });
          await sleep(30 + 100 * random());
          await proxy.switchTo({ kind: 'pass' });
        }
        await publishing.stop();
        await rig.handledBy('stock');
        await rig.settledBy('stock');

        const maxDuplicates = cuts * maxInFlight;
        const { violations, summary } = rig.verdict({ groups: ['stock'], maxDuplicates });
        expect(violations, summary).toEqual([]);
        expect(rig.observed('lost')).toEqual([]);
        expect(publishing.refusals).toBeGreaterThan(0);
        expect(rejections.seen).toEqual([]);
      },
    );

    it('does not let a late acknowledgement take an event from its new owner', async () => {
      await using network = await throughProxy();
      const { proxy, url } = network;
      await using rig = new StreamRig(redisUrl());
      const ended = Promise.withResolvers<void>();
      // A claim that it cannot be sure of, and too long for it to take the event back from a slow heir.
      const cutOff = rig.bus('cut-off', { claimMs: 8_000, timeoutMs: 5_000, redis: url });
      await rig.group(cutOff, 'stock', { worker: 'cut-off' }, () => ended.promise).start();
      await publishStubbornly(rig.publisher(rig.bus('dock')), draftIn('item', 1));
      await waitUntil('it is at work', async () => (await rig.holders('stock')).has('cut-off'));
      const holding = Promise.withResolvers<void>();
      const heir = rig.group(
        rig.bus('heir', { claimMs: 800 }),
        'stock',
        { worker: 'heir' },
        () => holding.promise,
      );

      // It is done while there is no connection, and says so when there is one again.
      await proxy.switchTo({ kind: 'reset' });
      ended.resolve();
      await heir.start();
      await waitUntil('the other one has it', async () => (await rig.holders('stock')).has('heir'));
      let isTaken = false;
      const watching = watchHolders(rig, (holders) => (isTaken ||= !holders.has('heir')));
      await proxy.switchTo({ kind: 'pass' });
      await waitUntil('it was refused', () => rig.observed('stale-refused').length > 0);
      await watching.stop();

      expect(isTaken, 'the event was taken from its new owner').toBe(false);
      expect(rig.observed('stale-refused')).toMatchObject([{ what: 'settle', group: 'stock' }]);
      holding.resolve();
      await rig.settledBy('stock');
    });

    it('lets a consumer that has stopped claim nothing with a heartbeat that comes too late', async () => {
      const beating = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<void>();
      // The answer to a heartbeat comes when the consumer is closing and has something to settle still.
      const slowly = async (name: string, send: () => Promise<unknown>): Promise<unknown> => {
        if (!/^SCRIPT \(XCLAIM\)$|XACK\)$|^XACK$/.test(name)) return await send();
        if (name === 'SCRIPT (XCLAIM)') beating.resolve();
        const answer = await send();
        if (name === 'SCRIPT (XCLAIM)') await answered.promise;
        else if (!name.includes('XCLAIM')) await answered.promise.then(() => sleep(50));
        return answer;
      };
      const client = new Redis(redisUrl(), { lazyConnect: true });
      const redis = crashingRedisClient(client, { around: slowly as CrashPoints['around'] });
      await using rig = new StreamRig(redisUrl());
      const slow = rig.bus('slow', { redis, claimMs: 1_500, timeoutMs: 5_000 });
      const finish = Promise.withResolvers<void>();
      const group = rig.group(slow, 'stock', { worker: 'slow' }, async ({ id }, { signal }) => {
        if (id.startsWith('done')) return await finish.promise;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        signal.throwIfAborted();
      });
      await group.start();
      const publisher = rig.publisher(rig.bus('dock'));
      for (const key of ['stuck', 'done']) await publisher.publish(draftIn(key, 1));
      await beating.promise;
      finish.resolve();
      await waitUntil('the first one is done', () => rig.ids('handled', 'stock').has('done-1'));
      const stopping = group.stop({ deadlineMs: 0 });
      await sleep(50);
      answered.resolve();
      await stopping;

      await rig.group(rig.bus('heir'), 'stock', { worker: 'heir' }).start();
      await waitUntil('the other one is done', () => rig.ids('handled', 'stock').has('stuck-1'));
      await rig.settledBy('stock');
      await sleep(700); // until another heartbeat would have come
      expect([...(await rig.holders('stock')).keys()]).toEqual([]);
      await waitUntil('the others are forgotten', async () => {
        return (await rig.consumers('stock')).join() === 'heir';
      });
    });

    it('brings back what a read has taken that reached Redis when nobody waited for it any more', async () => {
      await using rig = new StreamRig(redisUrl());
      const bus = rig.bus('stock', { claimMs: 600 });
      await rig.group(bus, 'stock', { worker: 'alone' }).start();
      await rig.publisher(rig.bus('dock')).publish(draftIn('first', 1));
      await waitUntil('it is at work', () => rig.ids('handled', 'stock').size === 1);
      const [[, fields]] = (await rig.admin.xrange(rig.stream, '-', '+')) as [[string, string[]]];
      const late = fields.map((field) => field.replaceAll('first-1', 'late-1'));
      await rig.admin
        .multi()
        .xadd(rig.stream, '*', ...late)
        .xreadgroup('GROUP', 'stock', 'alone', 'COUNT', 1, 'STREAMS', rig.stream, '>')
        .exec();

      await waitUntil('it is handled', () => rig.ids('handled', 'stock').has('late-1'));
      await rig.settledBy('stock');
      const handled = rig.entries.map(({ eventId, delivery }) => ({ eventId, delivery }));
      expect(handled).toEqual([
        { eventId: 'first-1', delivery: 1 },
        { eventId: 'late-1', delivery: 1 },
      ]);
    });
  },
);

/** Waits for calls although nothing gets through, for much longer than any of them may take. */
async function endedWithin(
  calls: readonly Promise<unknown>[],
): Promise<PromiseSettledResult<unknown>[]> {
  const settled: PromiseSettledResult<unknown>[] = [];
  for (const call of calls) {
    void Promise.allSettled([call]).then(([outcome]) => settled.push(outcome));
  }
  await waitUntil('every call has ended', () => settled.length === calls.length, 20 * timeoutMs);
  return settled;
}

/** Names of the connections to a server, sorted. */
async function clientsOf(rig: StreamRig): Promise<string[]> {
  const list = String(await rig.admin.client('LIST'))
    .trim()
    .split('\n');
  return list.map((line) => /\bname=(\S*)/.exec(line)?.[1] ?? '').toSorted();
}

/** A client that counts what listens to the clients that were made from it. */
function counting(url: string): Redis & { countListeners(): number[] } {
  const client = new Redis(url, { lazyConnect: true });
  const made = copiesOf(client);
  const countListeners = (): number[] =>
    made.map((copy) => copy.eventNames().reduce((sum, name) => sum + copy.listenerCount(name), 0));
  return Object.assign(client, { countListeners });
}

/** Looks all the time who has something in hand. */
function watchHolders(
  rig: StreamRig,
  look: (holders: ReadonlyMap<string, number>) => void,
): { stop(): Promise<void> } {
  let isOver = false;
  const watching = (async () => {
    while (!isOver) look(await rig.holders('stock'));
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
    },
  };
}
