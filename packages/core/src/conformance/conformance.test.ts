import { describe, it } from 'vitest';

import {
  FaultyBroker,
  sinkAlone,
  uncountedCapabilities,
  uncountedTransport,
} from '../../test/memory-subjects.ts';
import { ManualClock } from '../memory/manual-clock.ts';
import { MemoryDatabase } from '../memory/memory-database.ts';
import { MemoryDeadLetterQueue } from '../memory/memory-dead-letter-queue.ts';
import { MemoryEventStore } from '../memory/memory-event-store.ts';
import { MemoryHandoverQueue } from '../memory/memory-handover-queue.ts';
import { MemoryIdempotencyStore } from '../memory/memory-idempotency-store.ts';
import { MemoryInbox } from '../memory/memory-inbox.ts';
import { MemoryOutbox } from '../memory/memory-outbox.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import type { Profile } from '../event/envelope.ts';
import { describeDeadLetterQueue } from './describe-dead-letter-queue.ts';
import { describeDeadLetterSink } from './describe-dead-letter-sink.ts';
import { describeEventStore } from './describe-event-store.ts';
import type { EventStoreConformanceOptions } from './event-store/event-store-options.ts';
import { describeHandoverQueue } from './describe-handover-queue.ts';
import { describeIdempotencyStore } from './describe-idempotency-store.ts';
import { describeInbox } from './describe-inbox.ts';
import { describeOutbox } from './describe-outbox.ts';
import { describePlantedFaults } from './describe-planted-faults.ts';
import { describeTransactions } from './describe-transactions.ts';
import { describeTransport } from './describe-transport.ts';
import { plantedDeadLetterFaults } from './faults/planted-dead-letter-faults.ts';
import { plantedDeadLetterSinkFaults } from './faults/planted-dead-letter-sink-faults.ts';
import { plantedEventStoreFaults } from './faults/planted-event-store-faults.ts';
import { plantedHandoverFaults } from './faults/planted-handover-faults.ts';
import { plantedIdempotencyFaults } from './faults/planted-idempotency-faults.ts';
import { plantedInboxFaults } from './faults/planted-inbox-faults.ts';
import { plantedOutboxFaults } from './faults/planted-outbox-faults.ts';
import { plantedTransactionFaults } from './faults/planted-transaction-faults.ts';
import { plantedTransportFaults } from './faults/planted-transport-faults.ts';
import type { StoreConformanceOptions } from './store/store-bench.ts';
import type { TransportConformanceOptions } from './transport/transport-bench.ts';

const api = { describe, it };

const transport: TransportConformanceOptions = {
  capabilities: MemoryTransport.capabilities,
  quietMs: 10,
  breaksServer: true,
  refusesAccess: true,
  losesSettlements: true,
  create: async () => new FaultyBroker((broker) => new MemoryTransport({ broker })),
};
const uncounted: TransportConformanceOptions = {
  ...transport,
  capabilities: uncountedCapabilities,
  create: async () => new FaultyBroker(uncountedTransport),
};

/** A store of its own for each case, in a database of its own, under a clock that the case moves. */
function inMemory<Store>(
  make: (database: MemoryDatabase, options: { clock: ManualClock }) => Store,
): StoreConformanceOptions<Store> {
  return {
    capabilities: { transactions: true, concurrentTransactions: false, identity: true },
    create: async () => {
      const clock = new ManualClock(Date.UTC(2026, 5, 1));
      const transactions = new MemoryDatabase();
      const store = make(transactions, { clock });
      return { store, transactions, passTime: (ms) => clock.advance(ms) };
    },
  };
}

const tenants: Profile = {
  name: 'tenants',
  attributes: [
    { name: 'tenant', wire: 'tenant', column: 'tenant', validate: () => undefined },
    { name: 'floor', wire: 'floor', column: 'floor', type: 'integer', validate: () => undefined },
    {
      name: 'fragile',
      wire: 'fragile',
      column: 'fragile',
      type: 'boolean',
      validate: () => undefined,
    },
  ],
};
const eventStore: EventStoreConformanceOptions = {
  ...inMemory((database, { clock }) => new MemoryEventStore(database, { clock, profile: tenants })),
  attribute: { name: 'tenant', value: 'acme', other: 'umbrella' },
  typedAttributes: { integer: 'floor', boolean: 'fragile' },
};
const outbox = inMemory((database, options) => new MemoryOutbox(database, options));
const inbox = inMemory((database, options) => new MemoryInbox(database, options));
const deadLetters = inMemory((database, options) => new MemoryDeadLetterQueue(database, options));
const deadLetterSink = inMemory((database, options) =>
  sinkAlone(new MemoryDeadLetterQueue(database, options)),
);
const handovers = inMemory((database, options) => new MemoryHandoverQueue(database, options));
const idempotency = inMemory((database, options) => new MemoryIdempotencyStore(database, options));

describeTransport('memory', transport, api);
describeTransport('memory without counts', uncounted, api);
describeEventStore('memory', eventStore, api);
describeTransactions('memory', outbox, api);
describeOutbox('memory', outbox, api);
describeInbox('memory', inbox, api);
describeDeadLetterQueue('memory', deadLetters, api);
describeDeadLetterSink('memory', deadLetterSink, api);
describeHandoverQueue('memory', handovers, api);
describeIdempotencyStore('memory', idempotency, api);

describePlantedFaults(
  'memory transport',
  {
    describeSuite: describeTransport,
    options: { ...transport, quietMs: 40 },
    faults: plantedTransportFaults,
  },
  api,
);
describePlantedFaults(
  'memory transport without counts',
  {
    describeSuite: describeTransport,
    options: { ...uncounted, quietMs: 40 },
    faults: plantedTransportFaults.filter(({ noticedBy }) => /repeat|says so/.test(noticedBy)),
  },
  api,
);
describePlantedFaults(
  'memory event store',
  {
    describeSuite: describeEventStore,
    options: eventStore,
    faults: plantedEventStoreFaults,
  },
  api,
);
describePlantedFaults(
  'memory transactions',
  { describeSuite: describeTransactions, options: outbox, faults: plantedTransactionFaults },
  api,
);
describePlantedFaults(
  'memory outbox',
  { describeSuite: describeOutbox, options: outbox, faults: plantedOutboxFaults },
  api,
);
describePlantedFaults(
  'memory inbox',
  { describeSuite: describeInbox, options: inbox, faults: plantedInboxFaults },
  api,
);
describePlantedFaults(
  'memory dead-letter queue',
  {
    describeSuite: describeDeadLetterQueue,
    options: deadLetters,
    faults: plantedDeadLetterFaults,
  },
  api,
);
describePlantedFaults(
  'memory dead-letter sink',
  {
    describeSuite: describeDeadLetterSink,
    options: deadLetterSink,
    faults: plantedDeadLetterSinkFaults,
  },
  api,
);
describePlantedFaults(
  'memory handover queue',
  { describeSuite: describeHandoverQueue, options: handovers, faults: plantedHandoverFaults },
  api,
);
describePlantedFaults(
  'memory idempotency store',
  {
    describeSuite: describeIdempotencyStore,
    options: idempotency,
    faults: plantedIdempotencyFaults,
  },
  api,
);
