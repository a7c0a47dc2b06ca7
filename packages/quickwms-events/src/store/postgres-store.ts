import { fileURLToPath } from 'node:url';

import {
  PostgresEventStore as EngineStore,
  type PostgresEventStoreOptions,
} from '@waybill/postgres';
import type { EventQueryOptions, TimeRangeOptions } from '@waybill/core';
import { assertKnownOptions, type OptionNames } from '@waybill/core/adapter';

import { quickwmsProfile } from '../profile.ts';
import type { EventEnvelope } from '../types/index.ts';

export type PostgresEventStoreConfig = Omit<PostgresEventStoreOptions, 'profile' | 'migrations'>;

/** The migrations that the warehouse adds to the engine's, for people who apply them by a tool of their own. */
export const quickwmsMigrations = {
  name: 'quickwms',
  directory: fileURLToPath(new URL('../../migrations/', import.meta.url)),
};

const knownOptions: OptionNames<PostgresEventStoreConfig> = {
  connectionString: true,
  pool: true,
  client: true,
  tableName: true,
  schemaName: true,
  observer: true,
  clock: true,
};

/** The audit trail: every event of the warehouse, for good. */
export class PostgresEventStore extends EngineStore<EventEnvelope> {
  /** @throws {TypeError} if there is not exactly one database, a name is none, or an option is unknown. */
  constructor(config: PostgresEventStoreConfig) {
    assertKnownOptions('PostgresEventStore', config, knownOptions);
    super({ ...config, profile: quickwmsProfile, migrations: [quickwmsMigrations] });
  }

  /** The life of one item, oldest first. */
  getByQlid(qlid: string, options?: EventQueryOptions): Promise<EventEnvelope[]> {
    return this.getByAttribute('qlid', qlid, options);
  }
}

export type { EventQueryOptions, TimeRangeOptions };
