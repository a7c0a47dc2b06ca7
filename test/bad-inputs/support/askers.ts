import * as events from '@quickwms/events';
import {
  createEvent,
  EventPublisher,
  EventSubscriber,
  executeWithRetry,
  IdempotencyHandler,
  MemoryEventBus,
  MemoryTransport,
  openPostgres,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  PostgresLogTransport,
  RedisDeadLetterQueue,
  RedisStreamEventBus,
} from '@quickwms/events';
import { RedisIdempotencyStore, RedisStreamTransport } from '@waybill/redis';

import { refusalOf } from './doors.ts';

/** Nothing is sent before the first statement, and no statement is sent here. */
export const client = openPostgres({ connectionString: 'postgres://nobody@localhost:1/nowhere' });
/** Nothing is opened before `connect()` or the first command. */
const redis = 'redis://nowhere.invalid';
export const bus = new MemoryEventBus({ serviceName: 'quickgradez' });
const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
const store = new PostgresEventStore({ client });
const deadLetters = new PostgresDeadLetterQueue({ client });
const log = new PostgresLogTransport({ client });
const deadLettersOnRedis = new RedisDeadLetterQueue({ redis });
const keysOnRedis = new RedisIdempotencyStore({ redis });
const event = createEvent('quickintakez', { type: 'item.received', data: {} });
const policy = { ...events.defaultRetryPolicies.messaging, maxRetries: 0 };
export const serviceName = 'quickgradez';
export const ignore = (): undefined => undefined;
let groups = 0;

/** Asks with some options, whatever the types say. */
type Ask = (options: object) => unknown;

export const freshSubscriber: Ask = (options) =>
  new EventSubscriber(bus, { group: `group ${(groups += 1)}`, ...options });
const registered = (register: (to: EventSubscriber, options: object) => unknown): Ask => {
  return (options) => register(freshSubscriber({}) as EventSubscriber, options);
};

export const constructors: Record<string, Ask> = {
  MemoryEventBus: (options) => new MemoryEventBus({ serviceName, ...options }),
  PostgresEventBus: (options) => new PostgresEventBus({ serviceName, client, ...options }),
  RedisStreamEventBus: (options) => new RedisStreamEventBus({ serviceName, redis, ...options }),
  EventPublisher: (options) => new EventPublisher({ serviceName, eventBus: bus, ...options }),
  EventSubscriber: freshSubscriber,
  PostgresEventStore: (options) => new PostgresEventStore({ client, ...options }),
  PostgresDeadLetterQueue: (options) => new PostgresDeadLetterQueue({ client, ...options }),
  PostgresLogTransport: (options) => new PostgresLogTransport({ client, ...options }),
  RedisDeadLetterQueue: (options) => new RedisDeadLetterQueue({ redis, ...options }),
  MemoryTransport: (options) => new MemoryTransport(options),
  IdempotencyHandler: (options) => new IdempotencyHandler({ database: client, ...options }),
};

const calls: Record<string, Ask> = {
  RedisStreamTransport: (options) => new RedisStreamTransport({ redis, ...options }),
  RedisIdempotencyStore: (options) => new RedisIdempotencyStore({ redis, ...options }),
  'IdempotencyHandler on Redis': (options) => new IdempotencyHandler({ redis, ...options }),
  openPostgres: (options) => openPostgres({ connectionString: 'postgres://host/db', ...options }),
  createEvent: (options) =>
    createEvent('quickintakez', { type: 'item.received', data: {} }, options),
  'executeWithRetry, its policy': (options) =>
    executeWithRetry(ignore, { ...policy, ...options }, { operationName: 'weigh' }),
  'executeWithRetry, its context': (options) =>
    executeWithRetry(ignore, policy, { operationName: 'weigh', ...options }),
  'EventPublisher.publish': (options) => publisher.publish(event, options),
  'EventPublisher.publishBatch': (options) => publisher.publishBatch([event], options),
  'EventPublisher.publishCorrelated': (options) =>
    publisher.publishCorrelated(event, event, options),
  'EventPublisher.publishItemEvent': (options) =>
    publisher.publishItemEvent('item.received', '123456789', 'item-1', {}, options),
  'EventPublisher.publishOrderEvent': (options) =>
    publisher.publishOrderEvent('order.created', 'order-1', {}, options),
  'EventSubscriber.on': registered((to, options) => to.on('item.received', ignore, options)),
  'EventSubscriber.on, its retry': registered((to, retry) =>
    to.on('item.received', ignore, { retry }),
  ),
  'EventSubscriber.onMultiple': registered((to, options) =>
    to.onMultiple(['item.received'], ignore, options),
  ),
  'EventSubscriber.onDomain': registered((to, options) => to.onDomain('item', ignore, options)),
  'EventSubscriber.on, broadcast': registered((to, options) =>
    to.on('item.received', ignore, { broadcast: true, ...options }),
  ),
  'EventSubscriber.stop': registered((to, options) => to.stop(options)),
  'MemoryEventBus.subscribe': (options) => bus.subscribe(['item.received'], ignore, options),
  'MemoryEventBus.consumers': (options) => bus.consumers(`group ${(groups += 1)}`, options),
  'MemoryEventBus.shutdown': (options) => new MemoryEventBus({ serviceName }).shutdown(options),
  'consumers of MemoryEventBus': (consumers) => new MemoryEventBus({ serviceName, consumers }),
  'consumers of PostgresEventBus': (consumers) =>
    new PostgresEventBus({ serviceName, client, consumers }),
  'consumers of RedisStreamEventBus': (consumers) =>
    new RedisStreamEventBus({ serviceName, redis, consumers }),
  'RedisStreamEventBus.shutdown': (options) =>
    new RedisStreamEventBus({ serviceName, redis }).shutdown(options),
  'PostgresEventStore.append': (options) => store.append(event, options),
  'PostgresEventStore.appendBatch': (options) => store.appendBatch([event], options),
  'PostgresEventStore.getBySubject': (options) => store.getBySubject('item-1', options),
  'PostgresEventStore.getByQlid': (options) => store.getByQlid('123456789', options),
  'PostgresEventStore.getByCorrelationId': (options) => store.getByCorrelationId('c-1', options),
  'PostgresEventStore.getByTimeRange': (options) =>
    store.getByTimeRange({ startTime: new Date(0), ...options }),
  'PostgresEventStore.readFrom': (options) => store.readFrom(null, options),
  'PostgresDeadLetterQueue.list': (options) => deadLetters.list(options),
  'RedisDeadLetterQueue.list': (options) => deadLettersOnRedis.list(options),
  'RedisIdempotencyStore.claim': (options) =>
    keysOnRedis.claim('key', { operation: 'weigh', claimMs: 1_000, ...options }),
  'PostgresLogTransport.prune': (options) => log.prune(options),
};

export const askers = { ...constructors, ...calls };

/** What each of them answers to an option: the error, thrown or as a rejection. */
export async function answerTo(asker: keyof typeof askers, options: object): Promise<unknown> {
  return await refusalOf(async () => askers[asker]!(options));
}
