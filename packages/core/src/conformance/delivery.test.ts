import { describe, it } from 'vitest';

import { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryDatabase } from '../memory/memory-database.ts';
import { MemoryDeadLetterQueue } from '../memory/memory-dead-letter-queue.ts';
import { MemoryInbox } from '../memory/memory-inbox.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import type { DeliveryConformanceOptions } from './delivery/delivery-bench.ts';
import { describeDelivery } from './describe-delivery.ts';
import { describePlantedFaults } from './describe-planted-faults.ts';
import { plantedDeliveryFaults } from './faults/planted-delivery-faults.ts';

const api = { describe, it };
const memory: DeliveryConformanceOptions = {
  capabilities: MemoryTransport.capabilities,
  inbox: true,
  quietMs: 20,
  create: async () => {
    const broker = new MemoryBroker();
    const database = new MemoryDatabase();
    return {
      open: () => new MemoryTransport({ broker }),
      deadLetters: new MemoryDeadLetterQueue(database),
      transactions: database,
      inbox: new MemoryInbox(database),
    };
  },
};

describeDelivery('memory', memory, api);
describePlantedFaults(
  'delivery over memory',
  {
    describeSuite: describeDelivery,
    options: memory,
    faults: plantedDeliveryFaults,
    timeoutMs: 400,
  },
  api,
);
