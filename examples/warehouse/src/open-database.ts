import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from './input/input-error.ts';
import { openEmbedded, openPostgres, type SqlClient } from '@quickwms/events';

/** Everything of this example lies in a schema of its own, also in a database that holds other things. */
export const schema = 'warehouse';

/** An open database, and what people need to know of it. */
export interface OpenDatabase {
  readonly database: SqlClient;
  /** Where the data lies. */
  readonly place: string;
}

/** Opens the database that `DATABASE_URL` names, else one embedded in the data folder. */
export async function openDatabase(options: {
  dataFolder: string;
  url?: string | undefined;
}): Promise<OpenDatabase> {
  const opened = options.url ? openServer(options.url) : await openFolder(options.dataFolder);
  await opened.database.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  return opened;
}

/** Drops whatever earlier runs have left in a database. */
export async function clearDatabase(database: SqlClient): Promise<void> {
  await database.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await database.query(`CREATE SCHEMA ${schema}`);
}

/** Opens the database of a server. @throws {InputError} If the address is none. */
export function openServer(address: string, maxConnections: number = 20): OpenDatabase {
  const url = URL.parse(address);
  if (!url?.protocol.startsWith('postgres')) {
    throw new InputError('DATABASE_URL must be an address such as postgres://user@host/database');
  }
  const settings = url.searchParams.get('options') ?? '';
  url.searchParams.set('options', `${settings} -c search_path=${schema}`.trim());
  const database = openPostgres({ connectionString: url.href, maxConnections });
  return { database, place: `schema ${schema} of ${url.host}${url.pathname}` };
}

async function openFolder(dataFolder: string): Promise<OpenDatabase> {
  const folder = join(dataFolder, 'database');
  await mkdir(dataFolder, { recursive: true });
  const database = await openEmbedded(folder);
  await database.query(`SET search_path TO ${schema}`);
  return { database, place: folder };
}
