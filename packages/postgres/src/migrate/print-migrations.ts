import { createMigrationsTable, migrationsTable } from './applied-migrations.ts';
import { createSchema, lockStatement, namesOf } from './migrate.ts';
import type { MigrateOptions } from './migrate.ts';
import { engineMigrations, readFrame, readMigrations } from './migration-files.ts';
import type { Migration } from './migration-files.ts';
import { fillNames, quoteLiteral } from '../client/sql-names.ts';

/**
 * All migrations as one script, for a schema that has none of them yet: an empty one, or one with the
 * printed tables. It leaves the schema as `migrate` would, so a service started on it finds nothing to do.
 */
export async function printMigrations(options: MigrateOptions = {}): Promise<string> {
  const names = namesOf(options);
  const [frame, migrations] = await Promise.all([
    readFrame(),
    readMigrations(options.sets ?? [engineMigrations]),
  ]);
  const files = migrations.map((migration) =>
    [
      `-- ${migration.set}/${migration.name}`,
      fillNames(migration.sql, names),
      rememberStatement(names.schema, migration),
    ].join('\n'),
  );
  return [
    'BEGIN;',
    lockStatement(names.schema),
    createSchema(names.schema),
    createMigrationsTable(names.schema),
    fillNames(frame.begin, names),
    ...files,
    frame.end,
    'COMMIT;\n',
  ].join('\n\n');
}

function rememberStatement(schema: string, { set, number, name, checksum }: Migration): string {
  const values = [quoteLiteral(set), number, quoteLiteral(name), quoteLiteral(checksum)].join(', ');
  return `INSERT INTO ${migrationsTable(schema)} (set, number, name, checksum) VALUES (${values});`;
}
