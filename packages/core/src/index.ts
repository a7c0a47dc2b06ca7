// The public names, each by hand: what is not listed here is nobody else's business.

// Events and how they are written
export {
  type EventEnvelope,
  type EventMetadata,
  type ExtensionValue,
  keyOf,
  plainProfile,
  type Profile,
  type ProfileAttribute,
} from './envelope.ts';
export {
  Catalogue,
  type DataOf,
  defineEvent,
  type EventDefinition,
  parsePayload,
  type PayloadCheck,
  payloadInvalid,
} from './catalogue.ts';
export { type Codec } from './codec.ts';
export { JsonCodec, type JsonCodecOptions } from './cloudevents/json-codec.ts';
export { JsonBatchCodec, type JsonBatchCodecOptions } from './cloudevents/json-batch-codec.ts';
export { compilePattern, compilePatterns, isWildcard, type TypeMatcher } from './patterns.ts';
export { partitionCount, partitionOf } from './partition.ts';
export type { StandardSchemaV1 } from '@standard-schema/spec';
export { fromWire, type FromWireOptions } from './cloudevents/from-wire.ts';
export { toWire } from './cloudevents/to-wire.ts';
export type { WireEvent } from './cloudevents/wire-event.ts';
export { checkEnvelope } from './envelope-check.ts';
export { isoTime } from './iso-time.ts';
export { assertJson, defaultMaxBytes, maxJsonDepth } from './json-safety.ts';

// Publishing and consuming
export type { EventDraft } from './event-draft.ts';
export { Publisher } from './publisher.ts';
export type { PublisherOptions, PublishingStore } from './publisher-options.ts';
export {
  type BusEvents,
  type ConsumerChoices,
  type EncodedEvent,
  type EventBus,
  TransportEventBus,
  type TransportEventBusOptions,
} from './event-bus.ts';
export { ConsumerGroup } from './consumer-group.ts';
export type { GroupHealth } from './health-reasons.ts';
export type { UnfinishedDelivery } from './delivery-processor.ts';
export { assertConsumerGroupOptions, type ConsumerGroupOptions } from './consumer-group-options.ts';
export { type HandlerOptions } from './registration.ts';
export { type Handler, type HandlerContext, type Middleware } from './handler.ts';
export { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.ts';
export { executeWithRetry, type RetryContext } from './execute-with-retry.ts';
export {
  assertRetryPolicy,
  defaultRetryPolicy,
  delayBefore,
  isRetryable,
  type RetryPolicy,
} from './retry-policy.ts';
export {
  generateIdempotencyKey,
  type IdempotencyKeyParts,
  IdempotentExecution,
  type IdempotentExecutionOptions,
} from './idempotent-execution.ts';

// Ports that adapters implement
export {
  type Consumer,
  type Coordinates,
  type Deliver,
  type Delivery,
  type GroupInspection,
  type GroupStart,
  type Message,
  type StreamInspection,
  type Subscription,
  type Transport,
  type TransportCapabilities,
  type TransportInspection,
} from './transport.ts';
export {
  type AppendOptions,
  type EventPage,
  type EventQueryOptions,
  type EventStore,
  type StoredEvent,
  type TimeRangeOptions,
} from './event-store.ts';
export {
  type TransactionChoice,
  type TransactionOptions,
  type TransactionRunner,
} from './transaction.ts';
export { type DrainOutcome, type Outbox, type OutboxStatus } from './outbox.ts';
export { type Inbox, type InboxKey } from './inbox.ts';
export {
  type DeadLetter,
  type DeadLetterClaim,
  type DeadLetterFilter,
  type DeadLetterQueue,
  type DeadLetterStatus,
  type FailureType,
  type NewDeadLetter,
  type RedriveOutcome,
  type Resolution,
} from './dead-letter-queue.ts';
export {
  type IdempotencyClaim,
  type IdempotencyClaimOptions,
  type IdempotencyRecord,
  type IdempotencyStore,
} from './idempotency-store.ts';

// What comes from outside, and what is told
export { type Clock, maxTimerMs, systemClock } from './clock.ts';
export { type Ids, randomIds } from './ids.ts';
export {
  type EngineWarningCode,
  type Logger,
  type Observation,
  observeAll,
  type Observer,
  silentLogger,
  type WarningCode,
} from './observer.ts';
export { alsoLogged } from './warnings.ts';
export {
  type BatchOutcome,
  type ErrorCode,
  errorCodes,
  type ErrorDetails,
  EventError,
  isEventError,
  type PayloadIssue,
} from './errors.ts';

// What adapters and products build with
export {
  chosenTransaction,
  currentScope,
  type HandlerScope,
  holdHandler,
  runOutsideScope,
} from './handler-scope.ts';
export { assertCarriable } from './carriable.ts';
export { describeStart } from './group-start.ts';
export { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
export { Lanes } from './lanes.ts';
export { Outlet, type RevocableDelivery } from './outlet.ts';
export { Wake } from './wake.ts';
export { Watermark } from './watermark.ts';
export { assertKnownOptions, assertName, assertRange, assertTransactionChoice } from './options.ts';
