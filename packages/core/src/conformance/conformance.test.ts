import { describe, it } from 'vitest';

import { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import { describeTransport } from './describe-transport.ts';
import type { TransportConformanceOptions } from './transport/transport-bench.ts';

const transport: TransportConformanceOptions = {
  capabilities: MemoryTransport.capabilities,
  quietMs: 10,
  create: async () => {
    const broker = new MemoryBroker();
    return { open: () => new MemoryTransport({ broker }) };
  },
};

describeTransport('memory', transport, { describe, it });
