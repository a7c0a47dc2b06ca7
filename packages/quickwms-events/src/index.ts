export type {
  EventContext,
  EventEnvelope,
  EventHandler,
  InboxContext,
  TypedEventHandler,
} from './types/index.ts';
export {
  correlationOf,
  createCorrelatedEvent,
  createEvent,
  type CreateEventOptions,
  type KnownEvent,
} from './factory.ts';
export {
  AllEvents,
  ConsignmentEvents,
  DispositionEvents,
  FinanceEvents,
  getEventDomain,
  getStreamKeyForEvent,
  InboundEvents,
  InventoryEvents,
  OutboundEvents,
  PartsEvents,
  ProcessingEvents,
  quickwmsCatalogue,
  SalesEvents,
  SupplierEvents,
  SystemEvents,
  ThreePLEvents,
  type EventDataMap,
  type EventType,
} from './domains/index.ts';
export { quickwmsEvents, quickwmsProfile } from './profile.ts';
export {
  MemoryEventBus,
  PostgresEventBus,
  RedisDeadLetterQueue,
  RedisStreamEventBus,
  type GroupInfo,
  type MemoryEventBusConfig,
  type PostgresEventBusConfig,
  type RedisStreamEventBusConfig,
  type StreamInfo,
} from './bus/index.ts';
export { EventPublisher, type EventPublisherConfig } from './publisher/index.ts';
export {
  EventSubscriber,
  type EventSubscriberOptions,
  type SubscriptionOptions,
} from './subscriber/index.ts';
export {
  PostgresEventStore,
  quickwmsMigrations,
  type EventQueryOptions,
  type PostgresEventStoreConfig,
  type TimeRangeOptions,
} from './store/index.ts';
export {
  defaultRetryPolicies,
  executeWithRetry,
  generateIdempotencyKey,
  IdempotencyHandler,
  type IdempotencyHandlerConfig,
  type IdempotencyKeyParts,
  type RetryContext,
  type RetryPolicy,
} from './utils/index.ts';
// A service imports all it needs from here, so the engine's names that it meets are here too.
export { EventError, isEventError, type ErrorCode, type EventBus } from '@waybill/core';
export { MemoryTransport } from '@waybill/core/memory';
export {
  openPostgres,
  PostgresDeadLetterQueue,
  PostgresLogTransport,
  type PruneOptions,
  type SqlClient,
  type SqlTransaction,
} from '@waybill/postgres';
export type { RedisSource } from '@waybill/redis';
export { openEmbedded } from './embedded.ts';
