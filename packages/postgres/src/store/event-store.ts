import { plainProfile, systemClock } from '@waybill/core';
import { assertKnownOptions, attributeOf, type OptionNames } from '@waybill/core/adapter';
import type {
  AppendBatchOptions,
  AppendOptions,
  Clock,
  EventEnvelope,
  EventPage,
  EventQueryOptions,
  EventStore,
  ExtensionValue,
  Observer,
  Profile,
  TimeRangeOptions,
} from '@waybill/core';

import { columnsOf } from './event-columns.ts';
import { EventReader } from './event-reader.ts';
import { EventWriter } from './event-writer.ts';
import { migrate } from '../migrate/migrate.ts';
import { engineMigrations } from '../migrate/migration-files.ts';
import type { MigrationSet } from '../migrate/migration-files.ts';
import { PostgresOutbox } from '../outbox/outbox.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { PgPool } from '../client/pg-driver.ts';
import { horizonOf } from './read-horizon.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { defaultNames, qualified } from '../client/sql-names.ts';

/** One of `connectionString`, `pool` and `client` says where the database is. */
export interface PostgresEventStoreOptions {
  readonly connectionString?: string;
  /** The application's own pool, which stays its own to end. */
  readonly pool?: PgPool;
  /** An open client, which stays the caller's to close. */
  readonly client?: SqlClient;
  /** `event_store` unless given. One schema holds one event table. */
  readonly tableName?: string;
  /** `public` unless given. */
  readonly schemaName?: string;
  /** What a product adds to the envelope. */
  readonly profile?: Profile;
  /** Migrations of the profile, applied after the engine's. */
  readonly migrations?: readonly MigrationSet[];
  readonly observer?: Observer;
  readonly clock?: Clock;
}

/** Keeps every event in a table of PostgreSQL or PGlite. */
export class PostgresEventStore<E extends EventEnvelope = EventEnvelope> implements EventStore<E> {
  /** The database of the store; its transactions can be joined by every part of the library. */
  readonly client: SqlClient;
  /** Messages that commit together with events, in the same schema. */
  readonly outbox: PostgresOutbox;
  readonly #options: PostgresEventStoreOptions;
  readonly #profile: Profile;
  readonly #table: string;
  readonly #writer: EventWriter;
  readonly #reader: EventReader<E>;

  /** @throws {TypeError} if there is not exactly one database, a name is none, or an option is unknown. */
  constructor(options: PostgresEventStoreOptions) {
    assertOptions(options);
    const { profile = plainProfile, clock = systemClock, observer = () => {} } = options;
    const schema = options.schemaName ?? defaultNames.schema;
    this.#options = options;
    this.#profile = profile;
    this.#table = qualified(schema, options.tableName ?? defaultNames.event_store);
    this.client = clientOf(options);
    this.outbox = new PostgresOutbox({ client: this.client, schema, clock });
    const columns = columnsOf(profile);
    const { client } = this;
    const table = this.#table;
    this.#writer = new EventWriter(client, table, profile, clock);
    const horizon = horizonOf(client, table, clock);
    this.#reader = new EventReader({ client, table, columns, horizon, observer });
  }

  /** Runs transactions that appends, and everything else of the library, can join. */
  get transactions(): SqlClient {
    return this.client;
  }

  /**
   * Creates or upgrades the tables; any number of processes may do so at once.
   *
   * @throws {EventError} `SCHEMA_NEWER`, `SCHEMA_OUTDATED`, `MIGRATION_BLOCKED`, `STORE_UNAVAILABLE`
   */
  async initialize(): Promise<void> {
    const { schemaName, tableName, migrations = [] } = this.#options;
    await migrate(this.client, {
      schema: schemaName,
      eventTable: tableName,
      sets: [engineMigrations, ...migrations],
    });
  }

  async append(event: E, options?: AppendOptions): Promise<bigint> {
    return await this.#writer.append(event, options);
  }

  async appendBatch(events: readonly E[], options?: AppendBatchOptions): Promise<bigint[]> {
    return await this.#writer.appendBatch(events, options);
  }

  async getBySubject(subject: string, options?: EventQueryOptions): Promise<E[]> {
    return await this.#reader.select(
      [{ column: 'subject', operator: '=', value: subject }],
      options,
    );
  }

  async getByCorrelationId(correlationId: string, options?: EventQueryOptions): Promise<E[]> {
    return await this.#reader.select(
      [{ column: 'correlation_id', operator: '=', value: correlationId }],
      options,
    );
  }

  async getByAttribute(
    name: string,
    value: ExtensionValue,
    options?: EventQueryOptions,
  ): Promise<E[]> {
    const { column } = attributeOf(this.#profile, name, value);
    return await this.#reader.select([{ column, operator: '=', value }], options);
  }

  /** By the time that the events carry. */
  async getByTimeRange({ startTime, endTime, ...options }: TimeRangeOptions): Promise<E[]> {
    assertInstant('startTime', startTime);
    if (endTime !== undefined) assertInstant('endTime', endTime);
    const end = endTime ?? new Date((this.#options.clock ?? systemClock).now());
    return await this.#reader.select(
      [
        { column: 'created_at', operator: '>=', value: startTime },
        { column: 'created_at', operator: '<', value: end },
      ],
      options,
    );
  }

  async getById(eventId: string, source?: string): Promise<E | null> {
    const conditions = [{ column: 'event_id', operator: '=', value: eventId } as const];
    const ofSource = { column: 'source', operator: '=', value: source } as const;
    const [event] = await this.#reader.select(
      source === undefined ? conditions : [...conditions, ofSource],
      { limit: 1 },
    );
    return event ?? null;
  }

  async getCount(eventType?: string): Promise<number> {
    const where = eventType === undefined ? '' : 'WHERE event_type = $1';
    const { rows } = await (
      await this.#reader.database()
    ).query<{ count: bigint }>(
      `SELECT count(*) AS count FROM ${this.#table} ${where}`,
      eventType === undefined ? [] : [eventType],
    );
    return Number(rows[0]!.count);
  }

  async getLatestSequence(): Promise<bigint | null> {
    const { rows } = await (
      await this.#reader.database()
    ).query<{ latest: bigint | null }>(
      `SELECT max(sequence_number) AS latest FROM ${this.#table}`,
      [],
    );
    return rows[0]!.latest;
  }

  /** Reads committed events only, so not within a transaction. */
  async readFrom(cursor: string | null, options: { limit?: number } = {}): Promise<EventPage<E>> {
    assertKnownOptions('readFrom', options, { limit: true });
    return await this.#reader.readFrom(cursor, options.limit);
  }

  /** Waits for the appends under way, then closes the client if the store has opened it. */
  async close(): Promise<void> {
    await this.#writer.settled();
    if (this.client !== this.#options.client) await this.client.close();
  }
}

const knownOptions: OptionNames<PostgresEventStoreOptions> = {
  connectionString: true,
  pool: true,
  client: true,
  tableName: true,
  schemaName: true,
  profile: true,
  migrations: true,
  observer: true,
  clock: true,
};

function assertOptions(options: PostgresEventStoreOptions): void {
  assertKnownOptions('PostgresEventStore', options, knownOptions);
  const { connectionString, pool, client } = options;
  const given = [connectionString, pool, client].filter((one) => one !== undefined);
  if (given.length === 1) return;
  throw new TypeError(
    'PostgresEventStore needs one of { connectionString }, { pool } and { client }.',
  );
}

function clientOf({ connectionString, pool, client }: PostgresEventStoreOptions): SqlClient {
  if (client) return client;
  return openPostgres(pool ? { pool } : { connectionString: connectionString! });
}

function assertInstant(name: string, value: unknown): void {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return;
  throw new TypeError(`${name} must be a valid Date, got ${String(value)}.`);
}
