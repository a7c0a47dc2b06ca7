import { assertKnownOptions, type OptionNames } from '@waybill/core/adapter';
import { MemoryEventBus as EngineBus, type MemoryEventBusOptions } from '@waybill/core/memory';

import { quickwmsEvents, quickwmsProfile } from '../profile.ts';

export type MemoryEventBusConfig = Omit<MemoryEventBusOptions, 'profile' | 'catalogue'>;

const knownOptions: OptionNames<MemoryEventBusConfig> = {
  serviceName: true,
  transport: true,
  consumers: true,
  observer: true,
  logger: true,
  silence: true,
};

/** A warehouse bus within one process, for tests. */
export class MemoryEventBus extends EngineBus {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(config: MemoryEventBusConfig) {
    assertKnownOptions('MemoryEventBus', config, knownOptions);
    super({ ...config, profile: quickwmsProfile, catalogue: quickwmsEvents });
  }
}
