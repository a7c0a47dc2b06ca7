import { EventError } from '@waybill/core';

import {
  createMigrationsTable,
  hasTable,
  highest,
  migrationsTable,
  pendingMigrations,
  readApplied,
} from './applied-migrations.ts';
import { blockedError } from './migration-blocked.ts';
import { engineMigrations, readFrame, readMigrations } from './migration-files.ts';
import type { Migration, MigrationSet } from './migration-files.ts';
import type { SqlClient, SqlTransaction } from '../client/sql-client.ts';
import { sqlStateOf } from '../client/sql-errors.ts';
import { defaultNames, fillNames, qualified, quoteLiteral } from '../client/sql-names.ts';
import type { EngineNames } from '../client/sql-names.ts';
import { quoteIdentifier } from '../client/quote-identifier.ts';

export interface MigrateOptions {
  /** `public` unless given. One schema holds one engine. */
  readonly schema?: string;
  /** Name of the event table; `event_store` unless given. */
  readonly eventTable?: string;
  /** Applied in this order; the engine's alone unless given. A profile's come after the engine's. */
  readonly sets?: readonly MigrationSet[];
}

/**
 * Brings a schema up to what this version needs. Any number of processes may do so at once.
 *
 * All that is pending is applied in one transaction, under a lock that other runs wait for. When
 * nothing is pending, nothing but SELECTs is sent, so a role without the right to change the schema
 * can do it.
 *
 * @returns What was applied, `set/name` each.
 * @throws {EventError} `SCHEMA_NEWER`; `SCHEMA_OUTDATED` if the role may not change the schema;
 * `MIGRATION_BLOCKED` if other people's views or keys depend on what has to change.
 */
export async function migrate(client: SqlClient, options: MigrateOptions = {}): Promise<string[]> {
  const names = namesOf(options);
  const known = await readMigrations(options.sets ?? [engineMigrations]);
  if (pendingMigrations(known, await readApplied(client, names.schema)).length === 0) {
    await assertEventTable(client, names);
    return [];
  }
  try {
    return await client.run((tx) => applyPending(tx, known, names));
  } catch (error) {
    // insufficient_privilege
    if (sqlStateOf(error) !== '42501') throw error;
    throw outdatedError(known, await readApplied(client, names.schema), error);
  }
}

export function namesOf({ schema, eventTable }: MigrateOptions): EngineNames {
  const names = {
    schema: schema ?? defaultNames.schema,
    event_store: eventTable ?? defaultNames.event_store,
  };
  for (const name of Object.values(names)) quoteIdentifier(name);
  return names;
}

/** The lock ends with the transaction, so nothing is left behind in a pooled session. */
export function lockStatement(schema: string): string {
  return `SELECT pg_advisory_xact_lock(hashtextextended(${quoteLiteral(`waybill migrations of ${schema}`)}, 0));`;
}

/** A role that owns its schema need not have the right to create others. */
export function createSchema(schema: string): string {
  const statement = quoteLiteral(`CREATE SCHEMA ${quoteIdentifier(schema)}`);
  return `DO $do$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ${quoteLiteral(schema)}) THEN EXECUTE ${statement}; END IF;
END $do$;`;
}

async function applyPending(
  tx: SqlTransaction,
  known: readonly Migration[],
  names: EngineNames,
): Promise<string[]> {
  await tx.query(lockStatement(names.schema));
  const pending = pendingMigrations(known, await readApplied(tx, names.schema));
  if (pending.length === 0) return [];
  const frame = await readFrame();
  await tx.query(createSchema(names.schema));
  await tx.query(createMigrationsTable(names.schema));
  await tx.query(fillNames(frame.begin, names));
  for (const migration of pending) await apply(tx, migration, names);
  await tx.query(frame.end);
  return pending.map(nameOf);
}

async function apply(tx: SqlTransaction, migration: Migration, names: EngineNames): Promise<void> {
  try {
    await tx.query(fillNames(migration.sql, names));
  } catch (error) {
    throw blockedError(nameOf(migration), error) ?? error;
  }
  const { set, number, name, checksum } = migration;
  await tx.query(
    `INSERT INTO ${migrationsTable(names.schema)} (set, number, name, checksum) VALUES ($1, $2, $3, $4)`,
    [set, number, name, checksum],
  );
}

/** Views and functions of a schema know one event table, the one that it was migrated with. */
async function assertEventTable(client: SqlClient, names: EngineNames): Promise<void> {
  if (await hasTable(client, names.schema, names.event_store)) return;
  throw new EventError(
    'MIGRATION_BLOCKED',
    `the schema ${names.schema} was migrated with another event table than ${names.event_store}; give this one a schema of its own`,
    { migration: 'engine', objects: [qualified(names.schema, names.event_store)] },
  );
}

function nameOf({ set, name }: Migration): string {
  return `${set}/${name}`;
}

function outdatedError(
  known: readonly Migration[],
  applied: readonly { set: string; number: number }[],
  cause: unknown,
): EventError<'SCHEMA_OUTDATED'> {
  const { set } = pendingFirst(known, applied);
  const details = { database: highest(applied, set), code: highest(known, set) };
  return new EventError(
    'SCHEMA_OUTDATED',
    `migrations "${set}" of this database are at ${details.database}, this version needs ${details.code}, and this role may not apply them; let the owner of the schema run them first`,
    details,
    { cause },
  );
}

function pendingFirst(
  known: readonly Migration[],
  applied: readonly { set: string; number: number }[],
): Migration {
  const lacks = known.find(({ set }) => highest(applied, set) < highest(known, set));
  return lacks ?? known[0]!;
}
