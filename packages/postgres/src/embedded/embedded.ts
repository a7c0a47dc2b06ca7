import { existsSync } from 'node:fs';
import { chmod, mkdir, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { EventError } from '@waybill/core';
import { assertKnownOptions } from '@waybill/core/adapter';
import type { Clock } from '@waybill/core';

import { lockDirectory } from './owner-lock.ts';
import { PgliteClient } from '../client/pglite-client.ts';
import { loadPglite } from '../client/pglite-driver.ts';
import type { PgliteDatabase } from '../client/pglite-driver.ts';
import type { SqlClient } from '../client/sql-client.ts';

/**
 * Opens a database that lives in a directory of this process, with nothing installed; creates it if it
 * is not there, which takes some seconds.
 *
 * For development, demonstrations, tests and single-process services: it survives a killed process,
 * not a power cut. One process has it; `close()` gives it up.
 *
 * @throws {EventError} `DIRECTORY_HELD` if another process has it open; `STORE_REJECTED` if what lies
 * there cannot be opened; `CAPABILITY_MISSING` if PGlite is not installed.
 */
export async function openEmbedded(
  directory: string,
  options: { readonly clock?: Clock } = {},
): Promise<SqlClient> {
  assertKnownOptions('openEmbedded', options, { clock: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const real = await realpath(directory);
  await chmod(real, 0o700);
  const lock = await lockDirectory(real, options.clock);
  try {
    return new PgliteClient(await openDatabase(real), () => lock.release());
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openDatabase(directory: string): Promise<PgliteDatabase> {
  const { create } = await loadPglite();
  const folder = join(directory, 'postgres');
  if (!existsSync(folder)) await createDatabase(create, folder);
  try {
    return await create(folder);
  } catch (cause) {
    throw new EventError(
      'STORE_REJECTED',
      `the database in ${folder} cannot be opened; restore it from a backup, or delete the folder to begin anew`,
      {},
      { cause },
    );
  }
}

/** Elsewhere first: a process that is killed half way must not leave what looks like a database. */
async function createDatabase(
  create: (folder: string) => Promise<PgliteDatabase>,
  folder: string,
): Promise<void> {
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  const database = await create(unfinished);
  await database.close();
  await rename(unfinished, folder);
}
