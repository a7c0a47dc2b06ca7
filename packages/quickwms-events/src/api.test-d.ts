// Holds the printed API still: a signature that changes does not compile any more.

import { EventPublisher, EventSubscriber, RedisStreamEventBus } from './index.ts';
import type {
  CreateEventOptions,
  EventBus,
  EventContext,
  EventHandler,
  GroupInfo,
  InboxContext,
  EventDataMap,
  EventEnvelope,
  EventQueryOptions,
  PostgresEventStore,
  RedisStreamEventBusConfig,
  StreamInfo,
  SubscriptionOptions,
  TimeRangeOptions,
  TypedEventHandler,
} from './index.ts';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<_T extends true>(): void {}

declare const publisher: EventPublisher;
declare const subscriber: EventSubscriber;
declare const store: PostgresEventStore;
declare const bus: EventBus;

interface Own {
  count: number;
}
declare const own: CreateEventOptions<Own>;
declare const ownHandler: TypedEventHandler<Own>;
declare const options: SubscriptionOptions;

const published = publisher.publish<Own>(own);
assertType<Equal<typeof published, Promise<EventEnvelope<Own>>>>();
const batch = publisher.publishBatch<Own>([own]);
assertType<Equal<typeof batch, Promise<EventEnvelope<Own>[]>>>();
const correlated = publisher.publishCorrelated<Own>(own, {} as EventEnvelope);
assertType<Equal<typeof correlated, Promise<EventEnvelope<Own>>>>();
const item = publisher.publishItemEvent<Own>('any.type', 'qlid', 'item', { count: 1 });
assertType<Equal<typeof item, Promise<EventEnvelope<Own>>>>();
const order = publisher.publishOrderEvent<Own>('any.type', 'order', { count: 1 });
assertType<Equal<typeof order, Promise<EventEnvelope<Own>>>>();

assertType<Equal<ReturnType<EventSubscriber['start']>, Promise<void>>>();
assertType<Equal<ReturnType<EventSubscriber['stop']>, Promise<void>>>();
assertType<Equal<ReturnType<EventSubscriber['isRunning']>, boolean>>();
subscriber
  .on<Own>('any.type', ownHandler, options)
  .onMultiple<Own>(['any.type'], ownHandler)
  .onDomain('any', () => {});

assertType<Equal<ReturnType<PostgresEventStore['append']>, Promise<bigint>>>();
assertType<Equal<ReturnType<PostgresEventStore['appendBatch']>, Promise<bigint[]>>>();
assertType<Equal<ReturnType<PostgresEventStore['getById']>, Promise<EventEnvelope | null>>>();
assertType<Equal<ReturnType<PostgresEventStore['getLatestSequence']>, Promise<bigint | null>>>();
void store.getByQlid('123456789', {} satisfies EventQueryOptions);
void store.getByTimeRange({ startTime: new Date() } satisfies TimeRangeOptions);
assertType<Equal<ReturnType<EventBus['publish']>, Promise<string>>>();
assertType<Equal<ReturnType<EventBus['shutdown']>, Promise<void>>>();
void bus.subscribe(['item.graded'], async () => {});

declare const redisBus: RedisStreamEventBus;
declare const anyHandler: EventHandler;
const position = redisBus.publish<Own>({} as EventEnvelope<Own>);
assertType<Equal<typeof position, Promise<string>>>();
const positions = redisBus.publishBatch<Own>([{} as EventEnvelope<Own>]);
assertType<Equal<typeof positions, Promise<string[]>>>();
assertType<Equal<ReturnType<RedisStreamEventBus['connect']>, Promise<void>>>();
assertType<Equal<ReturnType<RedisStreamEventBus['start']>, Promise<void>>>();
assertType<Equal<ReturnType<RedisStreamEventBus['shutdown']>, Promise<void>>>();
assertType<Equal<ReturnType<RedisStreamEventBus['getStreamInfo']>, Promise<StreamInfo>>>();
assertType<Equal<ReturnType<RedisStreamEventBus['getGroupInfo']>, Promise<GroupInfo[]>>>();
assertType<Equal<(keyof StreamInfo)[], ('name' | 'length' | 'groups')[]>>();
type GroupInfoName =
  | 'name'
  | 'pending'
  | 'lag'
  | 'lagSeconds'
  | 'consumers'
  | 'members'
  | 'partitions';
assertType<Equal<keyof GroupInfo, GroupInfoName>>();
void redisBus.subscribe(['item.graded'], anyHandler);
redisBus.on('published', ({ streamKey, messageId, event }) => {
  assertType<Equal<typeof streamKey, string>>();
  assertType<Equal<typeof messageId, string>>();
  assertType<Equal<(typeof event)['type'], string>>();
});
void new EventSubscriber(redisBus);
void new EventPublisher({ serviceName: 'quickgradez', eventBus: redisBus });
void ({
  redis: { host: 'localhost', port: 6379, password: process.env['REDIS_PASSWORD'] },
  serviceName: 'quickinventoryz',
  streamPrefix: 'quickwms:events:',
  maxRetries: 3,
  retryDelayMs: 1_000,
  maxStreamLength: 100_000,
} satisfies RedisStreamEventBusConfig);
void ({
  redis: 'redis://localhost',
  serviceName: 'quickgradez',
  // @ts-expect-error no such option
  retries: 3,
} satisfies RedisStreamEventBusConfig);
// @ts-expect-error a bus needs to be told where Redis is
void new RedisStreamEventBus({ serviceName: 'quickgradez' });

// Handlers know their data by the type alone, and present keys are held to their types.
subscriber.on('item.graded', (event, context) => {
  assertType<Equal<(typeof event)['data'], EventDataMap['item.graded']>>();
  assertType<Equal<typeof context, EventContext>>();
});
void publisher.publish({ type: 'item.graded', data: { grade: 'A' } });
// @ts-expect-error no such grade
void publisher.publish({ type: 'item.graded', data: { grade: 'Z' } });
void publisher.publish({ type: 'my.own_happened', data: { anything: true } });

// Whoever has an inbox has a transaction, by its own options or by the subscriber's.
subscriber.on(
  'item.graded',
  (_event, context) => {
    assertType<Equal<typeof context, InboxContext>>();
  },
  { inbox: true },
);
declare const inboxSubscriber: EventSubscriber<true>;
inboxSubscriber.on('item.graded', (_event, context) => {
  assertType<Equal<typeof context, InboxContext>>();
});
inboxSubscriber.onDomain(
  'item',
  (_event, context) => {
    assertType<Equal<typeof context, EventContext>>();
  },
  { inbox: false },
);
inboxSubscriber.on(
  'item.graded',
  (_event, context) => {
    assertType<Equal<typeof context, EventContext>>();
  },
  { broadcast: true },
);
