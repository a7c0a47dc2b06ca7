import {
  createEvent,
  EventPublisher,
  EventSubscriber,
  RedisStreamEventBus,
  type EventEnvelope,
} from '@quickwms/events';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  canStartRedis,
  startTestRedis,
  type TestRedis,
} from '../../scripts/services/test-redis.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { redisCli } from './redis-cli.ts';
import { importServiceFile, layOutRedisClient, layOutService, runBlock } from './run-blocks.ts';
import { readSpecBlocks } from './spec-blocks.ts';

const itemStream = 'quickwms:events:item';
const group = 'quickinventoryz-group';

/** Names and values that stand in turn. */
function pairs(texts: readonly string[]): Record<string, string> {
  const names = texts.filter((_, at) => at % 2 === 0);
  return Object.fromEntries(names.map((name, at) => [name, texts[2 * at + 1]!]));
}

// The specification names streams and keys, so these tests have a server to themselves.
describe.skipIf(!(await canStartRedis()))('the blocks of the specification, run on Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  let place: { host: string; port: number; password: string };
  const lines: string[] = [];

  beforeAll(async () => {
    server = await startTestRedis();
    redis = new Redis(server.url);
    const { hostname: host, port, password } = new URL(server.url);
    place = { host, port: Number(port), password };
    vi.stubEnv('REDIS_HOST', host);
    vi.stubEnv('REDIS_PORT', port);
    vi.stubEnv('REDIS_PASSWORD', password);
    vi.stubEnv('SERVICE_NAME', 'quickinventoryz');
    vi.spyOn(console, 'log').mockImplementation(
      (...parts: unknown[]) => void lines.push(parts.map(String).join(' ')),
    );
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await redis.quit();
    await server.stop();
  });

  /** Resolves when only the test's own connection is left. */
  const allDisconnected = (): Promise<void> =>
    waitUntil('everybody has disconnected', async () => {
      const clients = (await redis.client('LIST')) as string;
      return clients.trim().split('\n').length === 1;
    });
  /** The youngest entry of items. */
  async function newest(): Promise<{ entryId: string; fields: Record<string, string> }> {
    const [entry] = await redis.xrevrange(itemStream, '+', '-', 'COUNT', 1);
    const [entryId, fields] = entry!;
    return { entryId, fields: pairs(fields) };
  }
  /** Publishes as another service would. */
  async function publishBeside(type: string): Promise<void> {
    const bus = new RedisStreamEventBus({ redis: place, serviceName: 'beside' });
    await bus.connect();
    await bus.publish(createEvent('beside', { type, data: {} }) as EventEnvelope);
    await bus.shutdown();
  }

  describe('one by one', () => {
    afterEach(async () => {
      await allDisconnected();
      await redis.flushall();
    });

    it('4.2 connects, publishes, subscribes, consumes and shuts down', async () => {
      const event = createEvent('beside', { type: 'item.received', data: { sku: 'ABC123' } });
      const { shutdown } = RedisStreamEventBus.prototype;
      // The block leaves out what lies between start and shutdown: the life of the service.
      const life = vi.spyOn(RedisStreamEventBus.prototype, 'shutdown');
      life.mockImplementationOnce(async function (this: RedisStreamEventBus) {
        life.mockRestore();
        await waitUntil('it was received', () => lines.includes('Received: item.received'));
        await shutdown.call(this);
      });
      await runBlock('6123777109', { names: { event } });
      expect(lines.filter((line) => line.startsWith('Received'))).toHaveLength(1);
      expect((await newest()).fields).toMatchObject({ id: event.id, type: 'item.received' });
      expect(await redis.xlen(itemStream)).toBe(1);
      expect(await redis.xpending(itemStream, group)).toEqual([0, null, null, null]);
    });

    it('9 runs an operation once for a key', async () => {
      await layOutRedisClient(place);
      const reserve = vi.fn(async (items: unknown[]) => ({ reserved: items.length }));
      const { client, ...printed } = await runBlock('222904ba33', {
        names: { inventoryService: { reserve }, items: [{ sku: 'ABC123' }, { sku: 'DEF456' }] },
        after: 'export { redis as client, key, result, alreadyDone, cachedResult, idempotency };',
      });
      const { idempotency, key, ...outcome } = printed as {
        idempotency: { executeIdempotent(...args: unknown[]): Promise<unknown> };
        key: string;
      };
      const result = { reserved: 2 };
      expect(outcome).toEqual({ result, alreadyDone: true, cachedResult: result });
      const again = await idempotency.executeIdempotent(key, 'reserve_inventory', reserve, 3_600);
      expect(again).toEqual(result);
      expect(reserve).toHaveBeenCalledExactlyOnceWith([{ sku: 'ABC123' }, { sku: 'DEF456' }]);
      // It was this server that remembered.
      const ttl = await redis.ttl(`quickwms:idempotency:${key}`);
      expect(ttl).toBeGreaterThan(3_500);
      expect(ttl).toBeLessThanOrEqual(3_600);
      await (client as Redis).quit();
    });

    it('10 counts what a bus says of itself, and prints what a stream holds', async () => {
      const config = { redis: place, serviceName: 'quickinventoryz', maxRetries: 0 };
      const earlier = new RedisStreamEventBus(config);
      await earlier.subscribe(['item.*'], () => undefined);
      await earlier.connect();
      await earlier.start();
      await earlier.shutdown();
      await publishBeside('item.sold');

      const increment = vi.fn<(name: string, tags?: object) => void>();
      const { bus } = await runBlock('b1e4777c97', {
        imports: `import { RedisStreamEventBus } from '@quickwms/events';`,
        names: { config, metrics: { increment } },
        after: 'export { bus };',
      });
      expect(lines).toEqual(
        expect.arrayContaining([
          'Stream length: 1',
          'Consumer groups: [object Object]',
          'Pending messages: 0',
        ]),
      );
      const own = bus as RedisStreamEventBus;
      const subscriber = new EventSubscriber(own).on('item.*', ({ type }) => {
        if (type === 'item.graded') throw new Error('no shelf');
      });
      await subscriber.start();
      const publisher = new EventPublisher({ serviceName: 'quickinventoryz', eventBus: own });
      await publisher.publish({ type: 'item.graded', data: {} });
      const named = (metric: string): unknown[] =>
        increment.mock.calls.filter(([name]) => name === metric).map(([, tags]) => tags);
      await waitUntil('it is a dead letter', () => named('events.dead_letter').length > 0);
      await waitUntil('the other one is handled', () => named('events.processed').length > 0);
      expect(named('events.published')).toEqual([{ type: 'item.graded' }]);
      expect(named('events.processed')).toEqual([{ type: 'item.sold' }]);
      expect(named('events.errors')).toHaveLength(1);
      await publisher.shutdown();
      await own.shutdown();
    });
  });

  describe('as one service', () => {
    let service: {
      itemRepository: unknown;
      receiveItem(data: object, userId: string): Promise<object>;
    };
    let ask: (line: string) => Promise<string[]>;
    let onSigterm: () => void;
    /** What one of its handlers takes its time for. */
    const shelving = { begun: Promise.withResolvers<void>(), done: Promise.withResolvers<void>() };

    beforeAll(async () => {
      await redis.flushall();
      ask = await redisCli(server.url);
      await layOutService();
      const { subscriber } = await importServiceFile('src/events/subscriber.ts');
      (subscriber as EventSubscriber).on('item.received', async ({ qlid }) => {
        if (qlid !== '888888888') return;
        shelving.begun.resolve();
        await shelving.done.promise;
      });
      const before = process.listeners('SIGTERM');
      await importServiceFile('src/index.ts');
      await waitUntil('it has started', () => lines.includes('Event consumer started'));
      const added = process.listeners('SIGTERM').filter((listener) => !before.includes(listener));
      expect(added).toHaveLength(1);
      onSigterm = added[0] as () => void;
      process.off('SIGTERM', onSigterm);
      const { IntakeService } = await importServiceFile('src/services/intake.service.ts');
      service = new (IntakeService as new () => typeof service)();
    });
    afterAll(async () => {
      const { eventBus } = await importServiceFile('src/events/bus.ts');
      await (eventBus as RedisStreamEventBus).shutdown();
      await allDisconnected();
    });

    /** What the commands of section 10 print. There is one group, with one consumer. */
    async function answers() {
      const { code } = readSpecBlocks('quickwms-events').find(({ hash }) => hash === '1e069fe401')!;
      const commands = code.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      expect(commands).toHaveLength(4);
      const [stream, groups, consumers, pending] = await Promise.all(commands.map(ask));
      return {
        stream: pairs(stream!),
        groups: pairs(groups!),
        consumers: pairs(consumers!),
        pending: pending!,
      };
    }

    /** Receives an item, as the business logic does. */
    async function receive(qlid: string): Promise<void> {
      const item = { id: `item-${qlid}`, qlid, sku: 'ABC123', manifestId: 'm-7', condition: 'new' };
      service.itemRepository = { create: async () => item };
      await service.receiveItem({}, 'user-7');
    }

    it('7 publishes what its business logic did, and handles it', async () => {
      await receive('777777777');
      await waitUntil('it was handled', () => lines.includes('Item received: 777777777'));
      const { fields } = await newest();
      expect(JSON.parse(fields['event']!)).toMatchObject({
        source: 'quickinventoryz',
        subject: 'item-777777777',
        userid: 'user-7',
        data: { sku: 'ABC123', condition: 'new' },
      });
    });

    it('10 shows with redis-cli what it has published, what it still holds, and what waits for it', async () => {
      await receive('888888888');
      await shelving.begun.promise;
      await waitUntil('only that is pending', async () => {
        return (await redis.xpending(itemStream, group))[0] === 1;
      });
      const { entryId: held } = await newest();
      const busy = await answers();
      expect(busy.stream).toMatchObject({ length: '2', groups: '1', 'last-generated-id': held });
      expect(busy.groups).toMatchObject({ name: group, consumers: '1', pending: '1', lag: '0' });
      expect(busy.consumers).toMatchObject({
        name: expect.stringMatching(/^quickinventoryz-group-/),
        pending: '1',
      });
      expect(busy.pending).toEqual(['1', held, held, busy.consumers['name'], '1']);

      shelving.done.resolve();
      const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
      onSigterm();
      await waitUntil('it has stopped', () => exit.mock.calls.length > 0);
      expect(exit).toHaveBeenCalledExactlyOnceWith(0);
      exit.mockRestore();
      await publishBeside('item.received');
      const stopped = await answers();
      expect(stopped.stream).toMatchObject({ length: '3' });
      expect(stopped.groups).toMatchObject({ name: group, pending: '0', lag: '1' });
      expect(stopped.pending).toEqual(['0', '', '', '']);
    });
  });
});
