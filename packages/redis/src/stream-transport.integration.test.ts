import { type Delivery, positionsOf } from '@waybill/core/adapter';
import { crashingRedisClient, CrashPoints } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { message, StreamBench, StreamProbe, waiting } from '../test/stream-bench.ts';
import { releasedConsumer } from './claim-scripts.ts';
import type { RedisStreamTransport } from './stream-transport.ts';

const several = (count: number, key?: string) => Array.from({ length: count }, () => message(key));
const idsOf = (messages: readonly { id: string }[]): string[] => messages.map(({ id }) => id);

describe.skipIf(!hasRedis())('streams on Redis', () => {
  let bench: StreamBench;
  beforeEach(() => {
    bench = new StreamBench();
  });
  afterEach(() => bench.close());

  /** Reads entries for a group without ever telling anybody, as a process does that dies at once. */
  async function readAndDie(group: string, consumer: string, count: number): Promise<void> {
    const { redis, stream } = bench;
    await redis.xreadgroup('GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '>');
  }

  it('puts an event into the stream of its domain, in fields that a person can read', async () => {
    const transport = await bench.connect();
    const sent = message('item-7');
    const [position] = positionsOf(await transport.publish([sent]));
    const [[id, fields]] = (await bench.redis.xrange(bench.stream, '-', '+')) as [
      [string, string[]],
    ];
    expect(id).toBe(position);
    expect(fields).toEqual(fieldsOf(sent));
    expect(fields.slice(0, 6)).toEqual(['id', sent.id, 'type', 'item.received', 'key', 'item-7']);
  });

  it('sends what was published at the same time as one command, and each call has its own outcome', async () => {
    // Counted here, since others use the server as well.
    const points = new CrashPoints();
    const transport = await bench.connect({ redis: crashingRedisClient(bench.redis, points) });
    await bench.redis.set(`${bench.prefix}order`, 'not a stream');
    const calls = [
      ...several(20).map((each) => [each]),
      [message('o', { type: 'order.created' })],
      ...several(20).map((each) => [each]),
    ];
    const outcomes = await Promise.all(calls.map((each) => transport.publish(each)));
    const [outcome] = outcomes.splice(20, 1).flat();
    expect(outcome).toMatchObject({ status: 'refused', error: { retryable: false } });
    for (const { status } of outcomes.flat()) expect(status).toBe('accepted');
    const stored = (await bench.redis.xrange(bench.stream, '-', '+')).map(
      ([, fields]) => fields[1],
    );
    expect(stored).toEqual(idsOf(calls.flat().filter(({ type }) => type === 'item.received')));
    const scripts = points.names.filter((name) => name.includes('XADD'));
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.length).toBeLessThan(10);
  });

  it('gives a stream that is used for the first time every group that takes all', async () => {
    const transport = await bench.connect();
    const probe = await StreamProbe.subscribe(transport, 'audit', { patterns: ['*'] });
    await probe.consumer.close();
    await transport.publish(several(3));
    const { streams } = await transport.inspect();
    expect(streams).toEqual([
      {
        name: bench.stream,
        length: 3,
        groups: [
          {
            name: 'audit',
            pending: 0,
            lag: 3,
            lagSeconds: expect.any(Number),
            consumers: 0,
            members: [],
          },
        ],
      },
    ]);
  });

  it('finds a stream that begins while it runs', async () => {
    const transport = await bench.connect();
    const probe = await StreamProbe.subscribe(transport, 'audit', {
      patterns: ['*'],
      start: 'latest',
      settle: true,
    });
    const sent = ['item.received', 'order.created', 'bid.placed'].map((type) =>
      message('k', { type }),
    );
    for (const each of sent) await transport.publish([each]);
    await probe.received(3);
    expect(probe.ids.toSorted()).toEqual(idsOf(sent));
  });

  it('says on which streams a group is new, and where it begins', async () => {
    const transport = await bench.connect();
    const begin = { patterns: ['item.*', 'order.created'], start: new Date('2026-01-01') };
    await StreamProbe.subscribe(transport, 'billing', begin);
    await StreamProbe.subscribe(transport, 'billing', begin);
    expect(bench.warnings('NEW_GROUP_STARTS')).toEqual([
      `group billing is new on ${bench.prefix}item, ${bench.prefix}order and begins with what came since 2026-01-01T00:00:00.000Z; say start: 'earliest', 'latest' or a time to choose`,
    ]);
  });

  it('takes what a dead process has held before it reads on, so that a key keeps its order', async () => {
    const transport = await bench.connect({ claimMs: 600 });
    await (await StreamProbe.subscribe(transport, 'stock')).consumer.close();
    const sent = several(10);
    await transport.publish(sent.slice(0, 5));
    await readAndDie('stock', 'dead', 5);
    await transport.publish(sent.slice(5));
    const probe = await StreamProbe.subscribe(transport, 'stock', { settle: true });
    await probe.received(10);
    expect(probe.ids).toEqual(idsOf(sent));
    expect(probe.counts.map(([, count]) => count)).toEqual([2, 2, 2, 2, 2, 1, 1, 1, 1, 1]);
    expect(bench.seen('took-over')).toEqual([
      { kind: 'took-over', group: 'stock', what: `5 of ${bench.stream}, from dead` },
    ]);
  });

  it('does not wait for a living consumer for longer than its claims can last', async () => {
    const transport = await bench.connect({ claimMs: 400 });
    const busy = await StreamProbe.subscribe(transport, 'stock', { maxInFlight: 1 });
    const sent = several(3);
    await transport.publish(sent);
    await busy.received(1);
    // Longer, so that what gives a late sign of life on a busy machine is not taken.
    const other = await bench.connect({ claimMs: 2_500 });
    const probe = await StreamProbe.subscribe(other, 'stock', { settle: true });
    await probe.received(2);
    expect(probe.ids).toEqual(idsOf(sent.slice(1)));
    expect(busy.ids).toEqual([sent[0]!.id]);
  });

  it('gives back at once, and uncounted, what it had read and never handed out', async () => {
    const transport = await bench.connect();
    const patterns = ['item.*', 'order.*'];
    const worker = `leaving-${process.pid}`;
    const asked = { patterns, maxInFlight: 4, worker };
    const first = await StreamProbe.subscribe(transport, 'stock', asked);
    const ofBoth = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        message('k', { type: index % 2 ? 'order.created' : 'item.received' }),
      );
    await transport.publish(ofBoth(2));
    for (const delivery of await first.received(2)) delivery.settle();
    // Both have something when it reads again, and COUNT is for each of them.
    first.consumer.pause();
    await vi.waitFor(async () => {
      // A read that still waits would bring what comes first, and that of one stream alone.
      expect(await connectionsOf(worker)).toEqual([expect.not.stringMatching(/ flags=\S*b/)]);
    }, waiting);
    const sent = ofBoth(8);
    await transport.publish(sent);
    first.consumer.resume();
    const handedOut = (await first.received(6)).slice(2).map((each) => each.message.id);
    await vi.waitFor(async () => {
      const { streams } = await transport.inspect();
      expect(streams.flatMap(({ groups }) => groups.map(({ pending }) => pending))).toEqual([4, 4]);
    }, waiting);
    await first.consumer.close();
    expect(await bench.pending('stock')).toEqual({ [releasedConsumer]: 4 });
    const second = await StreamProbe.subscribe(transport, 'stock', { patterns, settle: true });
    await second.received(8);
    const expected = sent.map(({ id }) => [id, handedOut.includes(id) ? 2 : 1]);
    expect(new Map(second.counts)).toEqual(new Map(expected as [string, number][]));
  });

  it('hands out alone what may have ended its consumers, and nothing beside it', async () => {
    const transport = await bench.connect({ claimMs: 5_000 });
    await (await StreamProbe.subscribe(transport, 'stock')).consumer.close();
    const sent = several(4);
    await transport.publish(sent.slice(0, 2));
    await readAndDie('stock', 'dead-1', 2);
    const ids = (await bench.redis.xrange(bench.stream, '-', '+')).map(([id]) => id);
    // As if that were long ago, so that the claims have lapsed.
    await bench.redis.xclaim(bench.stream, 'stock', 'dead-2', 0, ...ids, 'IDLE', 60_000);
    await transport.publish(sent.slice(2));
    const probe = await StreamProbe.subscribe(transport, 'stock');
    const inHand = (count: number) => probe.received(count).then((all) => all.slice(-1)[0]!);
    (await inHand(1)).settle();
    const alone = await inHand(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(probe.counts).toEqual([
      [sent[0]!.id, 3],
      [sent[1]!.id, 3],
    ]);
    alone.settle();
    await probe.received(4);
    expect(probe.ids).toEqual(idsOf(sent));
  });

  it('goes on although a handler hangs while something is to be handed out alone', async () => {
    const transport = await bench.connect({ claimMs: 200 });
    const probe = await StreamProbe.subscribe(transport, 'stock');
    const sent = several(4);
    await transport.publish(sent.slice(0, 1));
    await probe.received(1); // and never settled
    const positions = positionsOf(await transport.publish(sent.slice(1, 3)));
    const [, , suspect] = await probe.received(3);
    probe.deliveries[1]!.settle();
    suspect!.settle();
    await vi.waitFor(async () => {
      expect(Object.values(await bench.pending('stock'))).toEqual([1]);
    }, waiting);
    // As if it had been taken twice by processes that died.
    const taken = ['stock', 'dead', '0', positions[1]!, 'FORCE', 'RETRYCOUNT', '2'];
    await bench.redis.call('XCLAIM', [bench.stream, ...taken]);
    await probe.received(4);
    expect(probe.counts.at(-1)).toEqual([sent[2]!.id, 3]);
    await transport.publish(sent.slice(3));
    await probe.received(5);
    expect(probe.ids.at(-1)).toBe(sent[3]!.id);
  });

  it('reads again what Redis gave it in an answer that never came, before anything younger', async () => {
    const transport = await bench.connect();
    const worker = 'half-deaf';
    const probe = await StreamProbe.subscribe(transport, 'stock', { worker, settle: true });
    const sent = several(6);
    await transport.publish(sent.slice(0, 1));
    await probe.received(1);
    // Read in its name, as if the answer had got lost together with the connection.
    await bench.redis
      .multi()
      .xadd(bench.stream, '*', ...fieldsOf(sent[1]!))
      .xadd(bench.stream, '*', ...fieldsOf(sent[2]!))
      .xreadgroup('GROUP', 'stock', worker, 'COUNT', 2, 'STREAMS', bench.stream, '>')
      .exec();
    await killConnectionsOf(worker);
    await transport.publish(sent.slice(3));
    await probe.received(6);
    expect(probe.counts).toEqual(sent.map(({ id }) => [id, 1]));
  });

  it('makes a group anew that was destroyed, and loses nothing', async () => {
    const transport = await bench.connect();
    const probe = await StreamProbe.subscribe(transport, 'stock', { maxInFlight: 3 });
    const sent = several(8);
    await transport.publish(sent);
    const [first] = await probe.received(3);
    first!.settle();
    await probe.received(4);
    await bench.redis.xgroup('DESTROY', bench.stream, 'stock');
    for (let next = 1; new Set(probe.ids).size < 8; next += 1) {
      (await probe.received(next + 1))[next]!.settle();
    }
    expect(new Set(probe.ids)).toEqual(new Set(idsOf(sent)));
    await vi.waitFor(() => expect(bench.warnings('GROUP_RECREATED')).toHaveLength(1), waiting);
  });

  it('takes for repeated what comes again because its group was destroyed, and nothing younger', async () => {
    const transports = [
      await bench.connect({ reclaimEveryMs: 60_000 }),
      await bench.connect({ reclaimEveryMs: 60_000 }),
    ];
    const probes = await Promise.all(
      transports.map((each) => StreamProbe.subscribe(each, 'stock', { settle: true })),
    );
    const deliveries = (): Delivery[] => probes.flatMap((probe) => probe.deliveries);
    const receive = async (count: number): Promise<void> =>
      await vi.waitFor(() => expect(deliveries()).toHaveLength(count), waiting);
    const sent = several(6);
    await transports[0]!.publish(sent);
    await receive(6);
    await vi.waitFor(async () => expect(await bench.pending('stock')).toEqual({}), waiting);
    await bench.redis.xgroup('DESTROY', bench.stream, 'stock');
    // Nobody has looked how far the group was, so that it begins from the start.
    await receive(12);
    const later = several(2);
    await transports[0]!.publish(later);
    await receive(14);
    const told = deliveries().map(({ message: { id }, mayBeRepeated, deliveryCount }) => {
      expect(deliveryCount).toBe(1);
      return `${id} ${mayBeRepeated}`;
    });
    expect(told.toSorted()).toEqual(
      [
        ...sent.flatMap(({ id }) => [`${id} false`, `${id} true`]),
        ...later.map(({ id }) => `${id} false`),
      ].toSorted(),
    );
  });

  it('reports what is gone from the stream although it is pending, and goes on', async () => {
    const transport = await bench.connect({ claimMs: 100 });
    await (await StreamProbe.subscribe(transport, 'stock')).consumer.close();
    const sent = several(3);
    const positions = positionsOf(await transport.publish(sent));
    await readAndDie('stock', 'dead', 2);
    await bench.redis.xdel(bench.stream, positions[0]!);
    const probe = await StreamProbe.subscribe(transport, 'stock', { settle: true });
    await probe.received(2);
    expect(probe.ids).toEqual(idsOf(sent.slice(1)));
    expect(bench.seen('lost')).toEqual([
      expect.objectContaining({ group: 'stock', reason: 'deleted', until: positions[0] }),
    ]);
    await vi.waitFor(async () => expect(await bench.pending('stock')).toEqual({}), waiting);
  });

  it('forgets consumers that have been away for long, and none that has something pending', async () => {
    const transport = await bench.connect({ claimMs: 100, forgetConsumerMs: 100 });
    await (await StreamProbe.subscribe(transport, 'stock')).consumer.close();
    await transport.publish(several(1));
    await bench.redis.xgroup('CREATECONSUMER', bench.stream, 'stock', 'idle');
    await readAndDie('stock', 'holding', 1);
    await new Promise((resolve) => setTimeout(resolve, 120));
    const probe = await StreamProbe.subscribe(transport, 'stock', { worker: 'alive' });
    await probe.received(1); // what "holding" had, and keeps its name for as long as that
    await vi.waitFor(async () => expect(await namesOfConsumers()).toEqual(['alive']), waiting);
    expect(await bench.pending('stock')).toEqual({ alive: 1 });
  });

  it('keep the name of a consumer that is alive, however long nothing comes for it', async () => {
    const transport = await bench.connect({ claimMs: 100, forgetConsumerMs: 1_000 });
    await StreamProbe.subscribe(transport, 'stock', { worker: 'one' });
    await StreamProbe.subscribe(transport, 'stock', { worker: 'two' });
    await bench.redis.xgroup('CREATECONSUMER', bench.stream, 'stock', 'gone');
    await vi.waitFor(async () => expect(await namesOfConsumers()).toEqual(['one', 'two']), waiting);
  });

  describe('that are too long', () => {
    const consume = async (transport: RedisStreamTransport, group: string, count: number) => {
      const probe = await StreamProbe.subscribe(transport, group, { settle: true });
      await probe.received(count);
      await probe.consumer.close();
    };

    it('are trimmed of what every group has settled, down to the length that is wanted', async () => {
      const transport = await bench.connect({ maxStreamLength: 5, trimEveryMs: 86_400_000 });
      await (await StreamProbe.subscribe(transport, 'slow')).consumer.close();
      await transport.publish(several(1_500));
      await consume(transport, 'fast', 1_500);
      expect(await transport.trim()).toBe(0);
      expect(bench.warnings('TRIM_HELD_BACK')).toEqual([
        expect.stringContaining(`XGROUP DESTROY ${bench.stream} slow`),
      ]);
      await transport.trim();
      expect(bench.warnings('TRIM_HELD_BACK'), 'it is said once').toHaveLength(1);
      await consume(transport, 'slow', 1_500);
      expect(await transport.trim()).toBe(1_495);
      expect(await bench.redis.xlen(bench.stream)).toBe(5);
    });

    it('keep what is pending, and everything behind it', async () => {
      const transport = await bench.connect({ maxStreamLength: 1, trimEveryMs: 86_400_000 });
      const probe = await StreamProbe.subscribe(transport, 'stock');
      await transport.publish(several(10));
      const deliveries = await probe.received(10);
      for (const [index, delivery] of deliveries.entries()) if (index !== 4) delivery.settle();
      await vi.waitFor(async () => {
        expect(Object.values(await bench.pending('stock'))).toEqual([1]);
      }, waiting);
      expect(await transport.trim()).toBe(4);
      deliveries[4]!.settle();
      await vi.waitFor(async () => expect(await bench.pending('stock')).toEqual({}), waiting);
      expect(await transport.trim()).toBe(5);
      expect(await bench.redis.xlen(bench.stream)).toBe(1);
    });

    it('lose only beyond a cap that was asked for, and every loss is named for each group that needed it', async () => {
      const transport = await bench.connect({
        maxStreamLength: 2,
        lossyMaxStreamLength: 6,
        trimEveryMs: 86_400_000,
      });
      await (await StreamProbe.subscribe(transport, 'away')).consumer.close();
      const sent = several(10);
      await transport.publish(sent);
      await consume(transport, 'here', 10);
      expect(await transport.trim()).toBe(4);
      expect(bench.seen('lost')).toEqual(
        sent.slice(0, 4).map(({ id, type }) =>
          expect.objectContaining({
            group: 'away',
            reason: 'dropped',
            eventId: id,
            eventType: type,
          }),
        ),
      );
    });

    it('lose nothing unnamed when they are closed in the middle of it', async () => {
      const transport = await bench.connect({
        lossyMaxStreamLength: 6,
        trimEveryMs: 86_400_000,
      });
      await (await StreamProbe.subscribe(transport, 'away')).consumer.close();
      const sent = several(10);
      await transport.publish(sent);
      const trimming = transport.trim();
      await new Promise((resolve) => setImmediate(resolve)); // it is on its way to Redis
      await transport.close();
      expect(await trimming).toBe(4);
      expect(bench.seen('lost').map(({ eventId }) => eventId)).toEqual(idsOf(sent.slice(0, 4)));
    });
  });

  it('refuses a server that is too old, and warns of one that throws streams away', async () => {
    const { checkServer } = await import('./server-check.ts');
    const saying = (info: string) => async () => info;
    const observe = (seen: object) => void bench.observed.push(seen as never);
    await expect(checkServer(saying('redis_version:6.0.16\r\n'), observe)).rejects.toMatchObject({
      code: 'CAPABILITY_MISSING',
    });
    await checkServer(saying('redis_version:7.0.15\r\nmaxmemory_policy:allkeys-lru\r\n'), observe);
    expect(bench.warnings('BROKER_EVICTS')).toEqual([
      expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
    ]);
  });

  async function namesOfConsumers(): Promise<string[]> {
    const consumers = (await bench.redis.xinfo('CONSUMERS', bench.stream, 'stock')) as string[][];
    return consumers.map((consumer) => consumer[1]!).toSorted();
  }

  async function connectionsOf(worker: string): Promise<string[]> {
    const list = String(await bench.redis.client('LIST'));
    return list.split('\n').filter((line) => line.includes(`:${worker} `));
  }

  async function killConnectionsOf(worker: string): Promise<void> {
    for (const line of await connectionsOf(worker)) {
      await bench.redis.client('KILL', 'ID', /\bid=(\d+)/.exec(line)![1]!);
    }
  }
});

function fieldsOf({ id, type, key, body }: ReturnType<typeof message>): string[] {
  return ['id', id, 'type', type, 'key', key, 'event', body as string];
}
