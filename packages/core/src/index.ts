// What users need, each name by hand; what adapters are built with is in adapter.ts.

// Events and how they are written
export {
  type EventEnvelope,
  type EventMetadata,
  type ExtensionValue,
  plainProfile,
  type AttributeType,
  type Profile,
  type ProfileAttribute,
} from './event/envelope.ts';
export { Catalogue, type CatalogueEntry } from './event/catalogue.ts';
export {
  type DataOf,
  defineEvent,
  defineEventPattern,
  type EventDefinition,
  type EventPatternDefinition,
} from './event/event-definition.ts';
export { type Codec } from './event/codec.ts';
export type { Header } from './event/message.ts';
export { JsonCodec, type JsonCodecOptions } from './event/cloudevents/json-codec.ts';
export {
  JsonBatchCodec,
  type JsonBatchCodecOptions,
} from './event/cloudevents/json-batch-codec.ts';
export type { StandardSchemaV1 } from '@standard-schema/spec';

// Publishing and consuming
export type { EventDraft } from './publish/event-draft.ts';
export { Publisher } from './publish/publisher.ts';
export type { PublisherOptions } from './publish/publisher-options.ts';
export { type BusEvents, type EventBus } from './bus/bus.ts';
export { Subscriber } from './consume/subscriber.ts';
export type {
  ConsumerSource,
  SubscriberOptions,
  SubscriptionOptions,
} from './consume/subscriber-options.ts';
export type { ConsumerDatabase } from './consume/consumer-database.ts';
export { ConsumerGroup } from './consume/consumer-group.ts';
export type { Health } from './health.ts';
export type { UnfinishedDelivery } from './consume/delivery-processor.ts';
export type { ConsumerChoices, ConsumerGroupOptions } from './consume/consumer-group-options.ts';
export { type HandlerOptions } from './consume/registration.ts';
export { type Handler, type HandlerContext, type Middleware } from './consume/handler.ts';
export { Relay, type RelayOptions } from './publish/relay.ts';
export { executeWithRetry, type RetryContext } from './retry/execute-with-retry.ts';
export {
  assertRetryPolicy,
  defaultRetryPolicy,
  delayBefore,
  isRetryable,
  type RetryPolicy,
} from './retry/retry-policy.ts';
export {
  generateIdempotencyKey,
  type IdempotencyKeyParts,
  IdempotentExecution,
  type IdempotentExecutionOptions,
} from './idempotency/idempotent-execution.ts';

// Ports, as users hold them
export type { GroupStart, Transport } from './transport/transport.ts';
export type {
  GroupInspection,
  MemberInspection,
  PartitionInspection,
  StreamInspection,
  TransportInspection,
} from './transport/transport-inspection.ts';
export type { Coordinates } from './coordinates.ts';
export {
  type AppendBatchOptions,
  type AppendOptions,
  type EventPage,
  type EventQueryOptions,
  type EventRoute,
  type EventStore,
  type StoredEvent,
  type TimeRangeOptions,
} from './publish/event-store.ts';
export {
  type TransactionCapacity,
  type TransactionChoice,
  type TransactionOptions,
  type TransactionRunner,
} from './transaction.ts';
export { sameDatabase } from './same-database.ts';
export {
  type Outbox,
  type OutboxStatus,
  type RefusedMessage,
  type WaitingMessages,
} from './publish/outbox.ts';
export type { PublishOutcome } from './transport/publish-outcome.ts';
export { type Inbox } from './consume/inbox.ts';
export { type DeadLetter, type DeadLetterStatus, type FailureType } from './consume/dead-letter.ts';
export { type DeadLetterSink } from './consume/dead-letter-sink.ts';
export { type HandoverQueue, type Retirement } from './transport/handover-queue.ts';
export { type RetireOptions } from './consume/retire-handlers.ts';
export {
  type DeadLetterFilter,
  type DeadLetterQueue,
  isDeadLetterQueue,
  type Resolution,
} from './consume/dead-letter-queue.ts';
export { type IdempotencyStore } from './idempotency/idempotency-store.ts';

// What comes from outside, and what is told
export type { EndSignal } from './end-signal.ts';
export { type Clock, systemClock } from './clock.ts';
export { type Ids, randomIds } from './ids.ts';
export {
  type EngineWarningCode,
  type Logger,
  type Observation,
  type Observer,
  silentLogger,
  type WarningCode,
} from './observer.ts';
export {
  type AdapterErrorCode,
  type BatchOutcome,
  type DetailsOf,
  type ErrorCode,
  errorCodes,
  type ErrorDetails,
  EventError,
  isEventError,
  type PayloadIssue,
} from './errors.ts';
