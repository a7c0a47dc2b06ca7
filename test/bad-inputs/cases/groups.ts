// Inputs 52, 55 and 56: names of groups and handlers, and what is too long for an index.

import { randomUUID } from 'node:crypto';

import type { Observation } from '@waybill/core';
import { MemoryTransport } from '@waybill/core/memory';
import {
  EventPublisher,
  EventSubscriber,
  MemoryEventBus,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  PostgresLogTransport,
  RedisStreamEventBus,
  type EventBus,
  type SqlClient,
} from '@quickwms/events';
import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../../scripts/wait-until.ts';
import { refusalOf } from '../support/doors.ts';
import { messageOf, wireEvent } from '../support/messages.ts';
import type { TestKeys } from '../support/open-test-redis.ts';

/** Names that some broker, file system or pattern would stumble over. */
const odd = ['a/b', '../a', 'a b', '*', '{a}', 'a:b', '#', 'größe ☃', 'x'.repeat(250)];
/** Names that a careless comparison takes for one. */
const alike = ['dock', 'Dock', 'dock ', ' dock', 'dock\u200b', 'döck', 'do\u0308ck'];

const impossible = {
  'that is empty': '',
  'of 256 characters': 'x'.repeat(256),
  'with a line end': 'a\nb',
  'with a NUL character': 'a\0b',
  'with half a surrogate pair': 'a\ud800',
  'that is a number': 7 as unknown as string,
};

/** Buses of several services on one transport. */
interface Wires {
  bus(serviceName: string, observer?: (seen: Observation) => void): EventBus;
  close(): Promise<void>;
}

function memoryWires(): Wires {
  const transport = new MemoryTransport();
  return {
    bus: (serviceName, observer) => new MemoryEventBus({ serviceName, transport, observer }),
    close: () => transport.close(),
  };
}

async function logWires(client: SqlClient): Promise<Wires> {
  const schema = `wires ${randomUUID()}`;
  await new PostgresEventStore({ client, schemaName: schema }).initialize();
  const transport = new PostgresLogTransport({ client, schema, standbyMs: 20 });
  return {
    bus: (serviceName, observer) =>
      new PostgresEventBus({ serviceName, client, schema, transport, observer }),
    close: () => transport.close(),
  };
}

/** Each bus with connections of its own, as in processes of their own. */
export function redisWires({ redis, streamPrefix: ofFile }: TestKeys): Wires {
  const streamPrefix = `${ofFile}${randomUUID()}:`;
  const buses: EventBus[] = [];
  return {
    bus(serviceName, observer) {
      const observing = observer ? { observer } : {};
      const bus = new RedisStreamEventBus({ serviceName, redis, streamPrefix, ...observing });
      buses.push(bus);
      return bus;
    },
    close: async () => void (await Promise.all(buses.map((bus) => bus.shutdown()))),
  };
}

/**
 * Runs inputs 52 and 55 over one kind of transport.
 *
 * @param open Opens one; left out of the run where there is none.
 */
export function describeNamesOfGroups(
  over: string,
  open: (() => Promise<Wires>) | undefined,
): void {
  // On Redis alone, services share nothing in which one could leave events for the other.
  const isShared = over !== 'Redis';
  describe.skipIf(!open)(`names of groups over ${over}`, () => {
    it('52 delivers to each group under its own name, however odd', async () => {
      const wires = await open!();
      const bus = wires.bus('quickgradez');
      const seen: string[] = [];
      const subscribers = [...odd, ...alike].map((group) =>
        new EventSubscriber(bus, { group }).on('item.received', (_event, context) => {
          seen.push(context.group!);
        }),
      );
      for (const subscriber of subscribers) await subscriber.start();
      await new EventPublisher({ serviceName: 'quickintakez', eventBus: bus }).publish({
        type: 'item.received',
        data: {},
      });
      await waitUntil('each has it', () => seen.length === subscribers.length);
      expect(seen.toSorted()).toEqual([...odd, ...alike].toSorted());
      const [stream] = (await bus.transport.inspect()).streams;
      expect(stream!.groups.map(({ name }) => name).toSorted()).toEqual(seen.toSorted());
      await bus.shutdown();
      await wires.close();
    });

    it.skipIf(isShared)('55 refuses the second of two services of one group by name', async () => {
      const wires = await open!();
      const [first, second] = ['quickgradez', 'quickbidz'].map((name) =>
        new EventSubscriber(wires.bus(name), { group: 'shared' }).on('item.graded', () => {}),
      );
      await first!.start();
      await expect(second!.start()).rejects.toMatchObject({
        code: 'GROUP_TAKEN',
        message: expect.stringMatching(
          /belongs to service quickgradez .* service quickbidz shares/,
        ),
      });
      await first!.stop();
      await wires.close();
    });

    it.skipIf(!isShared)(
      '55 gives two services of one group the events of each, and counts what neither wanted',
      async () => {
        const wires = await open!();
        const handled: string[] = [];
        const unhandled: string[] = [];
        const service = (name: string, type: string): EventSubscriber => {
          const bus = wires.bus(name, (seen) => {
            if (seen.kind === 'unhandled-type') unhandled.push(seen.eventType!);
          });
          return new EventSubscriber(bus, { group: 'shared' }).on(type, (event) => {
            handled.push(event.type);
          });
        };
        const services = [
          service('quickgradez', 'item.graded'),
          service('quickbidz', 'bid.placed'),
        ];
        for (const each of services) await each.start();
        const publisher = new EventPublisher({
          serviceName: 'quickintakez',
          eventBus: wires.bus('quickintakez'),
        });
        const types = Array.from({ length: 20 }, (_entry, index) =>
          index % 2 ? 'item.graded' : 'bid.placed',
        );
        for (const type of [...types, 'lot.sold']) await publisher.publish({ type, data: {} });
        await waitUntil('each is handled', () => handled.length >= types.length);
        await waitUntil('the last one is counted', () => unhandled.includes('lot.sold'));
        expect(handled.toSorted()).toEqual(types.toSorted());
        for (const each of services) await each.stop();
        await wires.close();
      },
    );
  });
}

export function describeGroups(client: () => SqlClient): void {
  describeNamesOfGroups('memory', async () => memoryWires());
  describeNamesOfGroups('the log', () => logWires(client()));

  it.each(Object.entries(impossible))('52 refuses a name %s for group and handler', (_, name) => {
    const bus = new MemoryEventBus({ serviceName: 'quickgradez' });
    expect(() => new EventSubscriber(bus, { group: name })).toThrow(TypeError);
    const subscriber = new EventSubscriber(bus);
    expect(() => subscriber.on('item.received', () => undefined, { name })).toThrow(
      /handler name must be 1 to 255 characters/,
    );
  });

  it.each(Object.entries(impossible))('52 refuses a service name %s', (_, serviceName) => {
    expect(() => new MemoryEventBus({ serviceName })).toThrow(TypeError);
    const eventBus = new MemoryEventBus({ serviceName: 'quickgradez' });
    expect(() => new EventPublisher({ serviceName, eventBus })).toThrow(TypeError);
  });

  describe('what is too long for an index', () => {
    const letters = Array.from({ length: 20_000 }, () =>
      String.fromCodePoint(0x4e00 + Math.floor(Math.random() * 20_000)),
    ).join('');
    const longest = letters.slice(0, 255);

    it('56 keeps the longest ids that there are, in every table that has an index on them', async () => {
      const schema = `longest ${randomUUID()}`;
      const store = new PostgresEventStore({ client: client(), schemaName: schema });
      await store.initialize();
      const bus = new PostgresEventBus({ serviceName: 'quickgradez', client: client(), schema });
      const dead = new PostgresDeadLetterQueue({ client: client(), schema });
      const group = letters.slice(255, 510);
      const name = letters.slice(510, 765);
      const handled: string[] = [];
      const subscriber = new EventSubscriber(bus, { group, inbox: true });
      subscriber.on('item.received', ({ id }) => void handled.push(id), { name });
      subscriber.on(
        'item.received',
        () => {
          throw new Error('no shelf');
        },
        { name: letters.slice(765, 1_020), retry: { maxRetries: 0 } },
      );
      await subscriber.start();
      const publisher = new EventPublisher({
        serviceName: 'x'.repeat(255),
        eventBus: bus,
        eventStore: store,
      });
      const event = await publisher.publish({
        type: 'item.received',
        id: longest,
        subject: letters.slice(1_020, 1_275),
        correlationId: letters.slice(1_275, 1_530),
        userId: letters.slice(1_530, 1_785),
        warehouseId: letters.slice(1_785, 2_040),
        data: {},
      });
      await waitUntil('it is a dead letter', async () => (await dead.list()).length === 1);
      expect(handled).toEqual([longest]);
      expect(await store.getBySubject(event.subject!)).toEqual([event]);
      expect((await dead.list())[0]).toMatchObject({ group, event });
      await publisher.shutdown();
      await bus.shutdown();
    });

    it('56 refuses what an index cannot hold, and leaves nothing behind', async () => {
      const store = new PostgresEventStore({
        client: client(),
        schemaName: `index ${randomUUID()}`,
      });
      await store.initialize();
      for (const attribute of ['id', 'subject', 'correlationId']) {
        const event = { ...wireEvent(), [attribute]: letters };
        expect(await refusalOf(() => store.append(event as never))).toMatchObject({
          code: 'ENVELOPE_INVALID',
          details: { attribute },
        });
      }
      expect(await store.getCount()).toBe(0);
      expect(await store.getById(letters)).toBeNull();
    });

    it('56 makes a dead letter of a message whose labels no index could hold', async () => {
      const schema = `labels ${randomUUID()}`;
      await new PostgresEventStore({ client: client(), schemaName: schema }).initialize();
      const bus = new PostgresEventBus({ serviceName: 'quickgradez', client: client(), schema });
      const dead = new PostgresDeadLetterQueue({ client: client(), schema });
      const handled: string[] = [];
      const subscriber = new EventSubscriber(bus).onDomain('*', ({ id }) => void handled.push(id));
      await subscriber.start();
      const labels = { id: letters, key: letters, type: letters };
      const good = wireEvent();
      await bus.transport.publish([
        messageOf('{', labels),
        messageOf(JSON.stringify(good), { key: letters }),
      ]);
      await waitUntil('the good one was handled', () => handled.length > 0);
      expect(handled).toEqual([good.id]);
      const [letter, ...others] = await dead.list();
      expect(others).toEqual([]);
      expect(letter).toMatchObject({
        eventId: letters,
        eventType: letters,
        message: { ...labels, body: '{' },
        errorCode: 'MESSAGE_UNPARSEABLE',
      });
      expect(subscriber.health().status).toBe('ok');
      await bus.shutdown();
    });
  });
}
