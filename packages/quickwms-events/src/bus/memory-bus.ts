import { MemoryEventBus as EngineBus, type MemoryEventBusOptions } from '@waybill/core/memory';

import { quickwmsEvents, quickwmsProfile } from '../profile.ts';

export type MemoryEventBusConfig = Omit<MemoryEventBusOptions, 'profile' | 'catalogue'>;

/** A warehouse bus within one process, for tests. */
export class MemoryEventBus extends EngineBus {
  constructor(config: MemoryEventBusConfig) {
    super({ ...config, profile: quickwmsProfile, catalogue: quickwmsEvents });
  }
}
