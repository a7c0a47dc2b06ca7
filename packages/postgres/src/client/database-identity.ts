import { randomIds } from '@waybill/core';

import type { PgliteDatabase } from './pglite-driver.ts';
import type { SqlQueryable } from './sql-client.ts';

/**
 * Which database of which server answers, as a text that no other one has.
 *
 * Any role may ask for both. The server's own number, which outlives a restart, would not do: a copy of
 * its files has the same one, and not every role may see it. The time of its start is its own, in
 * microseconds.
 */
export async function identityOverPg(client: SqlQueryable): Promise<string> {
  const { rows } = await client.query<{ identity: string }>(
    `SELECT 'postgres ' || extract(epoch FROM pg_postmaster_start_time()) || ' ' || oid AS identity
     FROM pg_catalog.pg_database WHERE datname = current_database()`,
  );
  return rows[0]!.identity;
}

const embedded = new WeakMap<PgliteDatabase, string>();

/** An embedded database lives in this process, so it is known by the object that it is. */
export function identityOfPglite(database: PgliteDatabase): string {
  let identity = embedded.get(database);
  if (!identity) embedded.set(database, (identity = `pglite ${randomIds()}`));
  return identity;
}
