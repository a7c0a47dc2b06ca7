import {
  PostgresEventBus as EngineBus,
  type PostgresEventBusOptions as EngineOptions,
} from '@waybill/postgres';

import { quickwmsEvents, quickwmsProfile } from '../profile.ts';

export type PostgresEventBusConfig = Omit<EngineOptions, 'profile' | 'catalogue'>;

/** A warehouse bus that needs nothing but PostgreSQL, or nothing at all when embedded. */
export class PostgresEventBus extends EngineBus {
  constructor(config: PostgresEventBusConfig) {
    super({ ...config, profile: quickwmsProfile, catalogue: quickwmsEvents });
  }
}
