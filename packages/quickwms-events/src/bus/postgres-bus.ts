import { assertKnownOptions, type OptionNames } from '@waybill/core/adapter';
import {
  PostgresEventBus as EngineBus,
  type PostgresEventBusOptions as EngineOptions,
} from '@waybill/postgres';

import { quickwmsEvents, quickwmsProfile } from '../profile.ts';

export type PostgresEventBusConfig = Omit<EngineOptions, 'profile' | 'catalogue'>;

const knownOptions: OptionNames<PostgresEventBusConfig> = {
  serviceName: true,
  client: true,
  schema: true,
  destination: true,
  transport: true,
  maxRetries: true,
  retryDelayMs: true,
  consumers: true,
  prune: true,
  observer: true,
  logger: true,
  silence: true,
};

/** A warehouse bus that needs nothing but PostgreSQL, or nothing at all when embedded. */
export class PostgresEventBus extends EngineBus {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(config: PostgresEventBusConfig) {
    assertKnownOptions('PostgresEventBus', config, knownOptions);
    super({ ...config, profile: quickwmsProfile, catalogue: quickwmsEvents });
  }
}
