// For people who write adapters and products: what a port's types name beyond the main entry, and the
// blocks that our own adapters are built from.

// The parts of ports that only an adapter meets
export type { EncodedEvent, Message } from './event/message.ts';
export type {
  Consumer,
  Deliver,
  Delivery,
  Subscription,
  TransportCapabilities,
} from './transport/transport.ts';
export {
  type DrainOutcome,
  type DrainPass,
  type OutboxAddOptions,
  type RelayOrders,
  retryDelayMs,
  unrelayedAfterMs,
} from './publish/outbox.ts';
export { maxRelayPollMs } from './publish/relay.ts';
export type { EventSender } from './publish/event-sender.ts';
export type { PublishingStore } from './publish/publisher-options.ts';
export type {
  GroupRegistry,
  HandlerSet,
  KnownHandlerSet,
  RegisteredHandler,
  RegistryCopy,
} from './transport/group-registry.ts';
export type { Judgement } from './transport/transport.ts';
export { SettledBatch } from './transport/settled-batch.ts';
export {
  assertHandoverQuestions,
  assertRetirement,
  type Handover,
  type HandoverAnswer,
  type HandoverClaim,
  type HandoverKind,
  type HandoverQueue,
  type HandoverQuestion,
  type NewHandover,
  type OpenHandovers,
  type Retirement,
} from './transport/handover-queue.ts';
export type { InboxKey } from './consume/inbox.ts';
export type { PrunedGroup, PrunedKind, Pruner, Pruning } from './consume/pruner.ts';
export type { NewDeadLetter } from './consume/dead-letter.ts';
export type { DeadLetterKey } from './consume/dead-letter-sink.ts';
export type { DeadLetterClaim, RedriveOutcome } from './consume/dead-letter-queue.ts';
export type {
  IdempotencyClaim,
  IdempotencyClaimOptions,
  IdempotencyRecord,
} from './idempotency/idempotency-store.ts';

// A transport and its bus
export { TransportEventBus } from './bus/event-bus.ts';
export type { TransportEventBusOptions } from './bus/event-bus-options.ts';
export { assertCarriable } from './transport/carriable.ts';
export { destinationChanged } from './transport/destination-changed.ts';
export { destinationName } from './transport/destination-name.ts';
export {
  accepted,
  HeldKeys,
  heldBack,
  positionsOf,
  type Publish,
  publishSendable,
} from './transport/publish-outcome.ts';
export { ownMessage } from './event/own-message.ts';
export {
  headersFromJson,
  headersToJson,
  type JsonHeader,
  type JsonText,
  textFromJson,
  textToJson,
} from './event/header-json.ts';
export { groupOfPartitions } from './transport/group-of-partitions.ts';
export { describeStart } from './transport/group-start.ts';
export { type Commit, CommitPacer, type CommitPacerOptions } from './transport/commit-pacer.ts';
export {
  ConsumerShell,
  type ConsumerShellOptions,
  type Repetition,
} from './transport/consumer-shell.ts';
export { Outlet, type RevocableDelivery } from './transport/outlet.ts';
export { OpenConsumers } from './transport/open-consumers.ts';
export { OwnedDelivery } from './transport/owned-delivery.ts';
export { type CommitMark, PartitionProgress } from './transport/partition-progress.ts';
export { type Available, type Range, shareOut } from './transport/share-out.ts';
export { type TroubleSource, TroubleSources } from './transport/trouble-sources.ts';
export { Wake } from './transport/wake.ts';
export { Watermark } from './transport/watermark.ts';
export { throwIfEnded } from './end-signal.ts';
export { endsWithin } from './ends-within.ts';
export { GrowingDelay } from './growing-delay.ts';
export { LeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.ts';
export { SharedOpening } from './shared-opening.ts';
export { partitionCount, partitionOf } from './partition.ts';
export { type Audience, observeFor } from './people.ts';
export { observeAll } from './observer.ts';
export { maxTimerMs } from './clock.ts';
export { oneLine } from './text.ts';
export { isWaitedOut } from './waited-out.ts';

// A codec or a way in
export { fromWire, type FromWireOptions } from './event/cloudevents/from-wire.ts';
export { toWire } from './event/cloudevents/to-wire.ts';
export type { WireEvent } from './event/cloudevents/wire-event.ts';
export { eventLabel } from './event/event-label.ts';
export { attributeOf } from './event/profile-attribute.ts';
export { keyOf } from './event/ordering-key.ts';
export { checkEnvelope } from './event/envelope-check.ts';
export { isoTime } from './event/iso-time.ts';
export { assertJson, defaultMaxBytes, maxJsonDepth } from './event/json-safety.ts';
export { parsePayload, type PayloadCheck, payloadInvalid } from './event/catalogue.ts';
export { compilePattern, compilePatterns, isWildcard, type TypeMatcher } from './event/patterns.ts';

// A store
export { assertDeadLetterKeys, maxDeadLetterKeys } from './consume/dead-letter-sink.ts';
export { GroupCommit, type GroupCommitOptions } from './publish/group-commit.ts';
export {
  chosenTransaction,
  currentScope,
  type HandlerScope,
  holdHandler,
  runOutsideScope,
  wantedTransaction,
} from './handler-scope.ts';
export { runJoined } from './transaction-scope.ts';

// Options
export { assertConsumerGroupOptions } from './consume/consumer-group-options.ts';
export {
  assertKnownOptions,
  assertMaxInFlight,
  assertName,
  assertRange,
  assertTransactionChoice,
  type OptionNames,
} from './options.ts';
export { Lanes } from './consume/lanes.ts';
