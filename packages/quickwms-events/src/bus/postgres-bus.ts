import { assertKnownOptions } from '@waybill/core/adapter';
import {
  PostgresEventBus as EngineBus,
  type PostgresEventBusOptions as EngineOptions,
} from '@waybill/postgres';

import { quickwmsEvents, quickwmsProfile } from '../profile.ts';

export type PostgresEventBusConfig = Omit<EngineOptions, 'profile' | 'catalogue'>;

const knownOptions: readonly (keyof PostgresEventBusConfig)[] = [
  'serviceName',
  'client',
  'schema',
  'destination',
  'transport',
  'maxRetries',
  'retryDelayMs',
  'consumers',
  'observer',
];

/** A warehouse bus that needs nothing but PostgreSQL, or nothing at all when embedded. */
export class PostgresEventBus extends EngineBus {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(config: PostgresEventBusConfig) {
    assertKnownOptions('PostgresEventBus', config, knownOptions);
    super({ ...config, profile: quickwmsProfile, catalogue: quickwmsEvents });
  }
}
