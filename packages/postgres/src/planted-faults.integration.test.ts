import {
  describeDeadLetterQueue,
  describeDelivery,
  describeEventStore,
  describeHandoverQueue,
  describeIdempotencyStore,
  describeInbox,
  describeOutbox,
  describePlantedFaults,
  describeTransactions,
  describeTransport,
  plantedDeadLetterFaults,
  plantedDeliveryFaults,
  plantedEventStoreFaults,
  plantedHandoverFaults,
  plantedIdempotencyFaults,
  plantedInboxFaults,
  plantedOutboxFaults,
  plantedTransactionFaults,
  plantedTransportFaults,
} from '@waybill/core/conformance';
import { afterAll, beforeAll, describe, it } from 'vitest';

import { hasPostgres } from '../../../scripts/services/test-database.ts';
import { PostgresBench } from '../test/conformance-bench.ts';
import { conformanceOptions } from '../test/conformance-options.ts';

const api = { describe, it };
const timeoutMs = 1_000;

describe.skipIf(!hasPostgres())('PostgreSQL 18', () => {
  const bench = new PostgresBench(18);
  beforeAll(() => bench.open());
  afterAll(() => bench.close());
  const options = conformanceOptions(bench);

  // Most of the time goes by in waiting for what a fault keeps from coming, so several are tried at once.
  describe('messages', { concurrent: true }, () => {
    describePlantedFaults(
      'the log transport',
      {
        describeSuite: describeTransport,
        options: options.transport,
        faults: plantedTransportFaults,
        timeoutMs,
      },
      api,
    );
    describePlantedFaults(
      'what deliveries run on',
      {
        describeSuite: describeDelivery,
        options: options.delivery,
        faults: plantedDeliveryFaults,
        timeoutMs,
      },
      api,
    );
  });

  describe('stores', () => {
    describePlantedFaults(
      'the event store',
      {
        describeSuite: describeEventStore,
        options: options.eventStore,
        faults: plantedEventStoreFaults,
        timeoutMs,
      },
      api,
    );
    describePlantedFaults(
      'transactions',
      {
        describeSuite: describeTransactions,
        options: options.outbox,
        faults: plantedTransactionFaults,
      },
      api,
    );
    describePlantedFaults(
      'the outbox',
      { describeSuite: describeOutbox, options: options.outbox, faults: plantedOutboxFaults },
      api,
    );
    describePlantedFaults(
      'the inbox',
      { describeSuite: describeInbox, options: options.inbox, faults: plantedInboxFaults },
      api,
    );
    describePlantedFaults(
      'the dead-letter queue',
      {
        describeSuite: describeDeadLetterQueue,
        options: options.deadLetters,
        faults: plantedDeadLetterFaults,
      },
      api,
    );
    describePlantedFaults(
      'the handover queue',
      {
        describeSuite: describeHandoverQueue,
        options: options.handovers,
        faults: plantedHandoverFaults,
      },
      api,
    );
    describePlantedFaults(
      'the idempotency store',
      {
        describeSuite: describeIdempotencyStore,
        options: options.idempotency,
        faults: plantedIdempotencyFaults,
      },
      api,
    );
  });
});
