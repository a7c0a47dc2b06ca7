import { EventError } from '@waybill/core';

import { byteaOid, bytesOf, int8Oid } from './pg-types.ts';
import type { RawResult } from './raw-connection.ts';
import { toStoreError } from './sql-errors.ts';

interface PgliteResult {
  readonly rows: unknown[];
  readonly affectedRows?: number;
  readonly rowCount?: number;
  readonly command?: string;
}

interface PgliteQueryOptions {
  readonly parsers: Record<number, (value: string) => unknown>;
}

/** What runs statements in PGlite: the database itself, or the argument of its `transaction()`. */
export interface PgliteQueryable {
  query(text: string, params?: unknown[], options?: PgliteQueryOptions): Promise<PgliteResult>;
  exec(text: string, options?: PgliteQueryOptions): Promise<PgliteResult[]>;
}

/** The part of a PGlite database that we use. @see https://pglite.dev/docs/api */
export interface PgliteDatabase extends PgliteQueryable {
  onNotification(heard: (channel: string, payload: string) => void): () => void;
  close(): Promise<void>;
}

/** Databases that were opened with our parsers. Given with a statement, they make it twice as slow. */
const prepared = new WeakSet<PgliteQueryable>();
const options: PgliteQueryOptions = {
  parsers: { [int8Oid]: (value) => BigInt(value), [byteaOid]: bytesOf },
};

/**
 * Runs a statement on PGlite with our parsers and errors. Without `params` the text may hold several
 * statements; the last one's result comes back.
 */
export async function executeOnPglite<Row extends object>(
  database: PgliteQueryable,
  text: string,
  params?: readonly unknown[],
): Promise<RawResult<Row>> {
  const own = prepared.has(database) ? undefined : options;
  try {
    const result = params
      ? await database.query(text, [...params], own)
      : (await database.exec(text, own)).at(-1);
    return {
      rows: (result?.rows ?? []) as Row[],
      rowCount: result?.rowCount ?? 0,
      command: result?.command,
    };
  } catch (error) {
    throw toStoreError(error);
  }
}

/**
 * Loads PGlite when it is first needed, so that users of a server need not install it.
 *
 * @throws {EventError} `CAPABILITY_MISSING` if it is not installed.
 */
export async function loadPglite(): Promise<{
  create(dataDir: string): Promise<PgliteDatabase>;
}> {
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    return {
      async create(dataDir) {
        const database = await PGlite.create(dataDir, { parsers: { ...options.parsers } });
        prepared.add(database);
        return database;
      },
    };
  } catch (error) {
    throw new EventError(
      'CAPABILITY_MISSING',
      'the package "@electric-sql/pglite" cannot be loaded; install it with: npm install @electric-sql/pglite',
      { transport: 'postgres', capability: 'pglite' },
      { cause: error },
    );
  }
}
