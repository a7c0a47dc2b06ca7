import { describe, it } from 'vitest';

import {
  sinkAlone,
  uncountedCapabilities,
  uncountedTransport,
} from '../../test/memory-subjects.ts';
import type { DeadLetterSink } from '../consume/dead-letter-sink.ts';
import { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryDatabase } from '../memory/memory-database.ts';
import { MemoryDeadLetterQueue } from '../memory/memory-dead-letter-queue.ts';
import { MemoryInbox } from '../memory/memory-inbox.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import type { Transport } from '../transport/transport.ts';
import type { DeliveryConformanceOptions } from './delivery/delivery-bench.ts';
import { describeDelivery } from './describe-delivery.ts';
import { describePlantedFaults } from './describe-planted-faults.ts';
import { plantedDeliveryFaults } from './faults/planted-delivery-faults.ts';

const api = { describe, it };

interface Variant {
  readonly open?: (broker: MemoryBroker) => Transport;
  readonly sink?: (queue: MemoryDeadLetterQueue) => DeadLetterSink;
}

function inMemory({
  open = (broker) => new MemoryTransport({ broker }),
  sink = (queue) => queue,
}: Variant = {}): DeliveryConformanceOptions {
  return {
    capabilities: MemoryTransport.capabilities,
    inbox: true,
    quietMs: 20,
    create: async () => {
      const broker = new MemoryBroker();
      const database = new MemoryDatabase();
      return {
        open: () => open(broker),
        deadLetters: sink(new MemoryDeadLetterQueue(database)),
        transactions: database,
        inbox: new MemoryInbox(database),
      };
    },
  };
}

const memory = inMemory();
const uncounted: DeliveryConformanceOptions = {
  ...inMemory({ open: uncountedTransport }),
  capabilities: uncountedCapabilities,
};
const recordingOnly: DeliveryConformanceOptions = {
  ...inMemory({ sink: sinkAlone }),
  redrives: false,
};

describeDelivery('memory', memory, api);
describeDelivery('memory without counts', uncounted, api);
describeDelivery('memory, with a sink alone', recordingOnly, api);
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
