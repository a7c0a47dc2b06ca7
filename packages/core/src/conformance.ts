export { describeDeadLetterQueue } from './conformance/describe-dead-letter-queue.ts';
export { describeEventStore } from './conformance/describe-event-store.ts';
export type { EventStoreConformanceOptions } from './conformance/describe-event-store.ts';
export { describeIdempotencyStore } from './conformance/describe-idempotency-store.ts';
export { describeInbox } from './conformance/describe-inbox.ts';
export { describeOutbox } from './conformance/describe-outbox.ts';
export { describeTransactions } from './conformance/describe-transactions.ts';
export { describeTransport } from './conformance/describe-transport.ts';
export type {
  StoreCapabilities,
  StoreConformanceOptions,
  StoreSubject,
} from './conformance/store/store-bench.ts';
export type { TestApi, TestFunction } from './conformance/test-api.ts';
export type {
  TransportConformanceOptions,
  TransportSubject,
} from './conformance/transport/transport-bench.ts';
