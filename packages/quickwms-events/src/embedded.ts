import type { SqlClient } from '@waybill/postgres';

/**
 * Opens a database that lives in a directory of this process, with nothing installed.
 *
 * For development, demonstrations, tests and single-process services: it survives a killed process,
 * not a power cut. PGlite is loaded only here, since it is large.
 *
 * @throws {EventError} `DIRECTORY_HELD` if another process has it open.
 */
export async function openEmbedded(directory: string): Promise<SqlClient> {
  const embedded = await import('@waybill/postgres/pglite');
  return embedded.openEmbedded(directory);
}
