import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Numbered `.sql` files that belong together, such as the engine's or a profile's. */
export interface MigrationSet {
  /** Unique within a database; never changed once it was applied anywhere. */
  readonly name: string;
  /** Holds files such as `0001_engine.sql`. */
  readonly directory: URL | string;
}

/** One file of a set. */
export interface Migration {
  readonly set: string;
  readonly number: number;
  /** File name without `.sql`. */
  readonly name: string;
  /** SHA-256 of the text, whatever its line ends are. */
  readonly checksum: string;
  readonly sql: string;
}

/** What frames the migrations of one run: helpers before, grants and clean-up after. */
export interface MigrationFrame {
  readonly begin: string;
  readonly end: string;
}

/** Sources and build lie equally deep in the package. */
const engineDirectory = new URL('../../migrations/', import.meta.url);

/** The engine's own migrations; every other set comes after them. */
export const engineMigrations: MigrationSet = { name: 'engine', directory: engineDirectory };

const numbered = /^(\d{4})_[a-z0-9_]+\.sql$/;

/**
 * Reads the files of all sets, set by set, in the order of their numbers.
 *
 * @throws {TypeError} if two files of a set have the same number, or two sets the same name.
 */
export async function readMigrations(sets: readonly MigrationSet[]): Promise<Migration[]> {
  const names = sets.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    throw new TypeError(`Two migration sets have the same name: ${names.join(', ')}.`);
  }
  return (await Promise.all(sets.map(readSet))).flat();
}

export async function readFrame(): Promise<MigrationFrame> {
  const [begin, end] = await Promise.all(
    ['_begin.sql', '_end.sql'].map((name) => readText(new URL(name, engineDirectory))),
  );
  return { begin: begin!, end: end! };
}

async function readSet({ name: set, directory }: MigrationSet): Promise<Migration[]> {
  const folder = typeof directory === 'string' ? directory : fileURLToPath(directory);
  const files = (await readdir(folder)).filter((file) => numbered.test(file)).sort();
  const migrations = await Promise.all(
    files.map(async (file) => toMigration(set, file, await readText(`${folder}/${file}`))),
  );
  assertNumbersDiffer(migrations);
  return migrations;
}

function toMigration(set: string, file: string, sql: string): Migration {
  return {
    set,
    number: Number(file.slice(0, 4)),
    name: file.slice(0, -'.sql'.length),
    checksum: createHash('sha256').update(sql).digest('hex'),
    sql,
  };
}

/** A checkout may have changed the line ends; the statements are the same. */
async function readText(path: string | URL): Promise<string> {
  return (await readFile(path, 'utf8')).replaceAll('\r\n', '\n');
}

function assertNumbersDiffer(migrations: readonly Migration[]): void {
  for (const [index, { set, number, name }] of migrations.entries()) {
    if (migrations[index + 1]?.number !== number) continue;
    throw new TypeError(
      `Migrations ${name} and ${migrations[index + 1]!.name} of set ${set} have one number.`,
    );
  }
}
