import { randomUUID } from 'node:crypto';

import type { DeadLetter, DeadLetterQueue, Observation } from '@waybill/core';
import { MemoryDeadLetterQueue, MemoryTransport } from '@waybill/core/memory';
import {
  EventPublisher,
  EventSubscriber,
  MemoryEventBus,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  PostgresLogTransport,
  RedisDeadLetterQueue,
  RedisStreamEventBus,
  type EventBus,
  type EventContext,
  type EventEnvelope,
  type SqlClient,
  type SubscriptionOptions,
} from '@quickwms/events';

import { waitUntil } from '../../../scripts/wait-until.ts';
import type { TestKeys } from './open-test-redis.ts';

type Handle = (event: EventEnvelope<{ item: string }>, context: EventContext) => unknown;

/** A service that one test has to itself, with handlers that misbehave. */
export interface Dock {
  readonly publisher: EventPublisher;
  readonly subscriber: EventSubscriber;
  readonly observed: Observation[];
  /** True if handlers have `context.tx` and what they publish commits with it. */
  readonly transactional: boolean;
  /** Adds a handler of `item.received`, by a name of its own. */
  handle(name: string, handler: Handle, options?: SubscriptionOptions): void;
  /** Notes an effect: in the handler's transaction where there is one. */
  note(effect: string, context: EventContext): Promise<void>;
  /** The effects that count. */
  noted(): Promise<string[]>;
  publish(item: string, subject?: string): Promise<EventEnvelope>;
  /** Resolves when this many dead letters are there. */
  deadLetters(count: number): Promise<DeadLetter[]>;
  /** Proves that the group goes on. */
  flows(): Promise<void>;
  /** Events of a type that were published. */
  published(type: string): Promise<number>;
  /** The same group once more, as after a restart. */
  again(): Dock;
  close(): Promise<void>;
}

interface Parts {
  readonly transactional: boolean;
  bus(observer: (seen: Observation) => void): EventBus;
  publisher(bus: EventBus): EventPublisher;
  readonly deadLetters: DeadLetterQueue;
  note(effect: string, context: EventContext): Promise<void>;
  noted(): Promise<string[]>;
  published(type: string): Promise<number>;
}

export function memoryDock(): Dock {
  const deadLetters = new MemoryDeadLetterQueue();
  const transport = new MemoryTransport();
  const effects: string[] = [];
  const types: string[] = [];
  return dockOf({
    transactional: false,
    deadLetters,
    bus(observer) {
      const bus = new MemoryEventBus({
        serviceName: 'quickgradez',
        transport,
        observer,
        consumers: { deadLetters },
      });
      return bus.on('published', ({ event }) => types.push(event.type));
    },
    publisher: (eventBus) => new EventPublisher({ serviceName: 'quickintakez', eventBus }),
    note: async (effect) => void effects.push(effect),
    noted: async () => effects,
    published: async (type) => types.filter((one) => one === type).length,
  });
}

/** @param leaseMs How long a consumer of the log may be silent. */
export async function embeddedDock(client: SqlClient, leaseMs?: number): Promise<Dock> {
  const schema = `dock ${randomUUID()}`;
  const eventStore = new PostgresEventStore({ client, schemaName: schema });
  await eventStore.initialize();
  await client.query(`CREATE TABLE "${schema}".effect (id BIGSERIAL, effect TEXT)`);
  return dockOf({
    transactional: true,
    deadLetters: new PostgresDeadLetterQueue({ client, schema }),
    bus: (observer) =>
      new PostgresEventBus({
        serviceName: 'quickgradez',
        client,
        schema,
        observer,
        transport: new PostgresLogTransport({ client, schema, leaseMs, standbyMs: 20 }),
      }),
    publisher: (eventBus) =>
      new EventPublisher({ serviceName: 'quickintakez', eventBus, eventStore }),
    async note(effect, { tx }) {
      await tx!.query(`INSERT INTO "${schema}".effect (effect) VALUES ($1)`, [effect]);
    },
    async noted() {
      const { rows } = await client.query<{ effect: string }>(
        `SELECT effect FROM "${schema}".effect ORDER BY id`,
        [],
      );
      return rows.map(({ effect }) => effect);
    },
    published: (type) => eventStore.getCount(type),
  });
}

/** @param claimMs How long a consumer may be silent. */
export function redisDock({ redis, streamPrefix: ofFile }: TestKeys, claimMs: number): Dock {
  const streamPrefix = `${ofFile}${randomUUID()}:`;
  const effects: string[] = [];
  return dockOf({
    transactional: false,
    deadLetters: new RedisDeadLetterQueue({ redis, streamPrefix }),
    bus: (observer) =>
      new RedisStreamEventBus({
        serviceName: 'quickgradez',
        redis,
        streamPrefix,
        observer,
        claimMs,
        reclaimEveryMs: 20,
      }),
    publisher: (eventBus) => new EventPublisher({ serviceName: 'quickintakez', eventBus }),
    note: async (effect) => void effects.push(effect),
    noted: async () => effects,
    async published(type) {
      const entries = await redis.xrange(`${streamPrefix}${type.split('.')[0]}`, '-', '+');
      return entries.filter(([, fields]) => fields[3] === type).length;
    },
  });
}

function dockOf(parts: Parts): Dock {
  const observed: Observation[] = [];
  const bus = parts.bus((seen) => void observed.push(seen));
  const publisher = parts.publisher(bus);
  const subscriber = new EventSubscriber(bus, { inbox: parts.transactional });
  const good: string[] = [];
  subscriber.on('item.shelved', (event) => void good.push(event.id));
  const publish = (type: string, item: string, subject = 'item-1'): Promise<EventEnvelope> =>
    publisher.publish({ type, subject, data: { item } } as { type: string; data: object });
  return {
    publisher,
    subscriber,
    observed,
    transactional: parts.transactional,
    handle(name, handler, options) {
      const quick = { name, retry: { maxRetries: 0 }, ...options };
      subscriber.on(
        'item.received',
        (event, context) => handler(event as never, context) as void,
        quick,
      );
    },
    note: parts.note,
    noted: parts.noted,
    publish: (item, subject) => publish('item.received', item, subject),
    async deadLetters(count) {
      const list = (): Promise<DeadLetter[]> => parts.deadLetters.list();
      await waitUntil(
        `${count} dead letters are there`,
        async () => (await list()).length >= count,
      );
      return await list();
    },
    async flows() {
      const { id } = await publish('item.shelved', 'a good one');
      await waitUntil('the next event was handled', () => good.includes(id));
    },
    published: parts.published,
    again: () => dockOf(parts),
    async close() {
      await publisher.shutdown();
      await bus.shutdown({ deadlineMs: 0 });
      await bus.transport.close();
    },
  };
}
