import { EventError } from '@waybill/core';

import type { Migration } from './migration-files.ts';
import type { SqlQueryable } from '../client/sql-client.ts';
import { qualified } from '../client/sql-names.ts';

/** A migration as the database remembers it. */
export interface AppliedMigration {
  readonly set: string;
  readonly number: number;
  readonly checksum: string;
}

/** The statement that makes the table in which a schema remembers its migrations. */
export function createMigrationsTable(schema: string): string {
  return `CREATE TABLE IF NOT EXISTS ${migrationsTable(schema)} (
    set TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (set, number)
);`;
}

export function migrationsTable(schema: string): string {
  return qualified(schema, 'waybill_migrations');
}

/** What was applied to a schema so far; nothing if the schema or its table is not there. */
export async function readApplied(db: SqlQueryable, schema: string): Promise<AppliedMigration[]> {
  if (!(await hasTable(db, schema, 'waybill_migrations'))) return [];
  const { rows } = await db.query<AppliedMigration>(
    `SELECT set, number, checksum FROM ${migrationsTable(schema)}`,
    [],
  );
  return rows;
}

/**
 * Asks the catalogue itself. `to_regclass` may answer from what the session remembers, which is out of
 * date right after it has waited for a lock: it would not see the table that the holder has created.
 */
export async function hasTable(db: SqlQueryable, schema: string, table: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, table],
  );
  return rowCount > 0;
}

/**
 * The migrations that a schema still lacks.
 *
 * @throws {EventError} `SCHEMA_NEWER` if it has a higher number than this code knows,
 * `MIGRATION_BLOCKED` if a file was changed after it was applied.
 */
export function pendingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): Migration[] {
  for (const set of new Set(known.map((migration) => migration.set))) {
    assertNotNewer(set, highest(known, set), highest(applied, set));
  }
  return known.filter((migration) => {
    const before = applied.find(
      ({ set, number }) => set === migration.set && number === migration.number,
    );
    if (before) assertUnchanged(migration, before);
    return !before;
  });
}

/** The highest number of a set, 0 if there is none. */
export function highest(
  migrations: readonly { readonly set: string; readonly number: number }[],
  set: string,
): number {
  return Math.max(0, ...migrations.filter((one) => one.set === set).map(({ number }) => number));
}

function assertNotNewer(set: string, code: number, database: number): void {
  if (database <= code) return;
  throw new EventError(
    'SCHEMA_NEWER',
    `migrations "${set}" of this database are at ${database}, this version knows ${code}; upgrade this service before it runs against this database`,
    { database, code },
  );
}

function assertUnchanged(migration: Migration, before: AppliedMigration): void {
  if (migration.checksum === before.checksum) return;
  const name = `${migration.set}/${migration.name}`;
  throw new EventError(
    'MIGRATION_BLOCKED',
    `${name} was changed after it had been applied to this database; put the file back and add a new one`,
    { migration: name, objects: ['waybill_migrations'] },
  );
}
