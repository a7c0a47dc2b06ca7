import { EventError } from '@waybill/core';

import { withOurParsers } from './pg-types.ts';
import type { PgTypes } from './pg-types.ts';

/** What we send with each statement. @see https://node-postgres.com/apis/client#clientquery */
export interface PgQueryConfig {
  /** Under this name the session keeps the statement. */
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly types?: PgTypes;
}

export interface PgQueryResult {
  readonly rows: unknown[];
  readonly rowCount: number | null;
  readonly command?: string;
}

/** The part of a checked-out `pg` client that we use. */
export interface PgPoolClient {
  query(config: PgQueryConfig): Promise<PgQueryResult | PgQueryResult[]>;
  release(destroy?: boolean): void;
  on(event: 'error' | 'end' | 'notification', heard: (value?: unknown) => void): unknown;
  removeListener(event: string, heard: (value?: unknown) => void): unknown;
}

/** The part of a `pg` pool that we use; `new pg.Pool()` has it. */
export interface PgPool {
  connect(): Promise<PgPoolClient>;
  end(): Promise<void>;
  /** `max` says how many connections it may have, `connectionTimeoutMillis` how long to wait for one. */
  readonly options?: {
    readonly max?: number | undefined;
    readonly connectionTimeoutMillis?: number | undefined;
  };
  on(event: 'error', heard: (error: Error) => void): unknown;
  on(event: 'connect', heard: (client: PgPoolClient) => void): unknown;
}

interface PgModule {
  readonly Pool: new (options: object) => PgPool;
  readonly types: PgTypes;
}

/** `pg` with our result parsers. */
export interface PgDriver {
  readonly Pool: PgModule['Pool'];
  readonly types: PgTypes;
}

let loaded: Promise<PgDriver> | undefined;

/**
 * Loads `pg` when it is first needed, so that embedded users need not install it.
 *
 * @throws {EventError} `CAPABILITY_MISSING` if it is not installed.
 */
export function loadPg(): Promise<PgDriver> {
  loaded ??= importPg();
  return loaded;
}

async function importPg(): Promise<PgDriver> {
  try {
    const { default: pg } = (await import('pg')) as unknown as { default: PgModule };
    return { Pool: pg.Pool, types: withOurParsers(pg.types) };
  } catch (error) {
    loaded = undefined;
    throw new EventError(
      'CAPABILITY_MISSING',
      'the package "pg" cannot be loaded; install it with: npm install pg',
      { transport: 'postgres', capability: 'pg' },
      { cause: error },
    );
  }
}
