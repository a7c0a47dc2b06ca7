export { describeDeadLetterQueue } from './conformance/describe-dead-letter-queue.ts';
export { describeDeadLetterSink } from './conformance/describe-dead-letter-sink.ts';
export { describeDelivery } from './conformance/describe-delivery.ts';
export { describeEventStore } from './conformance/describe-event-store.ts';
export type { EventStoreConformanceOptions } from './conformance/event-store/event-store-options.ts';
export { describeHandoverQueue } from './conformance/describe-handover-queue.ts';
export { describeIdempotencyStore } from './conformance/describe-idempotency-store.ts';
export { describeInbox } from './conformance/describe-inbox.ts';
export { describeOutbox } from './conformance/describe-outbox.ts';
export { describePlantedFaults } from './conformance/describe-planted-faults.ts';
export type { PlantedFault } from './conformance/describe-planted-faults.ts';
export { describeTransactions } from './conformance/describe-transactions.ts';
export { describeTransport } from './conformance/describe-transport.ts';
export type {
  DeliveryConformanceOptions,
  DeliverySubject,
} from './conformance/delivery/delivery-bench.ts';
export { plantedDeadLetterFaults } from './conformance/faults/planted-dead-letter-faults.ts';
export { plantedDeadLetterSinkFaults } from './conformance/faults/planted-dead-letter-sink-faults.ts';
export { plantedDeliveryFaults } from './conformance/faults/planted-delivery-faults.ts';
export { plantedEventStoreFaults } from './conformance/faults/planted-event-store-faults.ts';
export { plantedHandoverFaults } from './conformance/faults/planted-handover-faults.ts';
export { plantedIdempotencyFaults } from './conformance/faults/planted-idempotency-faults.ts';
export { plantedInboxFaults } from './conformance/faults/planted-inbox-faults.ts';
export { plantedOutboxFaults } from './conformance/faults/planted-outbox-faults.ts';
export { plantedTransactionFaults } from './conformance/faults/planted-transaction-faults.ts';
export { plantedTransportFaults } from './conformance/faults/planted-transport-faults.ts';
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
