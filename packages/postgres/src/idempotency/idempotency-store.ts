import { EventError, randomIds } from '@waybill/core';
import { assertKnownOptions } from '@waybill/core/adapter';
import type { IdempotencyStore, Ids, TransactionChoice } from '@waybill/core';
import type {
  IdempotencyClaim,
  IdempotencyClaimOptions,
  IdempotencyRecord,
} from '@waybill/core/adapter';

import { IdempotencyStatements } from './idempotency-statements.ts';
import type { IdempotencyRow } from './idempotency-statements.ts';
import { chosenDatabase } from '../client/chosen-database.ts';
import type { SqlClient, SqlQueryable } from '../client/sql-client.ts';
import { defaultNames } from '../client/sql-names.ts';

export interface PostgresIdempotencyStoreOptions {
  readonly client: SqlClient;
  /** Schema of the tables; `public` unless given. */
  readonly schema?: string;
  readonly ids?: Ids;
}

/** How long a failure is remembered unless somebody claims the key again. */
const failureTtlMs = 7 * 24 * 3_600_000;

/** A key can change hands between two statements; more often than this in a row it is just busy. */
const maxLooks = 5;

/**
 * Claims keys in the table `idempotency_keys`, by the clock of the database: what the clocks of the
 * workers say makes no difference.
 */
export class PostgresIdempotencyStore implements IdempotencyStore {
  readonly #client: SqlClient;
  readonly #ids: Ids;
  readonly #statements: IdempotencyStatements;

  /** @throws {TypeError} if the schema is no name, or an option is not known. */
  constructor(options: PostgresIdempotencyStoreOptions) {
    assertKnownOptions('PostgresIdempotencyStore', options, {
      client: true,
      schema: true,
      ids: true,
    });
    const { client, schema = defaultNames.schema, ids = randomIds } = options;
    this.#client = client;
    this.#ids = ids;
    this.#statements = new IdempotencyStatements(schema);
  }

  async claim(key: string, options: IdempotencyClaimOptions): Promise<IdempotencyClaim> {
    const { operation } = options;
    const claimMs = checkedMs('claimMs', options.claimMs);
    const db = await this.#database(options);
    for (let look = 0; look < maxLooks; look += 1) {
      const token = this.#ids();
      if (await this.#statements.claim(db, { key, operation, token, claimMs })) {
        return { status: 'claimed', token };
      }
      const row = await this.#statements.get(db, key);
      const answer = row && answerOf(row, operation);
      if (answer) return answer;
    }
    return { status: 'held' };
  }

  async renew(key: string, token: string, claimMs: number): Promise<boolean> {
    const ms = checkedMs('claimMs', claimMs);
    return await this.#statements.renew(await this.#database(), { key, token, claimMs: ms });
  }

  async complete(
    key: string,
    token: string,
    result: unknown,
    ttlMs: number,
    options?: TransactionChoice,
  ): Promise<boolean> {
    return await this.#statements.end(await this.#database(options), {
      key,
      token,
      status: 'completed',
      result: JSON.stringify(result) ?? null,
      error: null,
      ttlMs: checkedMs('ttlMs', ttlMs),
    });
  }

  async release(key: string, token: string, error: string): Promise<boolean> {
    return await this.#statements.end(await this.#database(), {
      key,
      token,
      status: 'failed',
      result: null,
      error: error.replaceAll('\0', '\u2400').toWellFormed(),
      ttlMs: failureTtlMs,
    });
  }

  async get(key: string): Promise<IdempotencyRecord | null> {
    const row = await this.#statements.get(await this.#database(), key);
    return row ? toRecord(key, row) : null;
  }

  #database(options?: TransactionChoice): Promise<SqlQueryable> {
    return chosenDatabase(this.#client, options);
  }
}

/** What a row says to somebody whose claim it refused; nothing if it has become free meanwhile. */
function answerOf(row: IdempotencyRow, operation: string): IdempotencyClaim | undefined {
  if (row.operation !== operation) {
    throw new EventError(
      'IDEMPOTENCY_MISMATCH',
      `the key ${row.key} belongs to operation ${row.operation}, not ${operation}; use another key`,
      { key: row.key, operation },
    );
  }
  if (row.status === 'completed') return { status: 'completed', result: resultOf(row) };
  return row.held ? { status: 'held' } : undefined;
}

function toRecord(key: string, row: IdempotencyRow): IdempotencyRecord {
  const { operation, status, error } = row;
  return {
    key,
    operation,
    status,
    ...(row.has_result ? { result: resultOf(row) } : {}),
    ...(error === null ? {} : { error }),
  };
}

function resultOf({ has_result, result }: IdempotencyRow): unknown {
  return has_result ? result : undefined;
}

function checkedMs(name: string, ms: number): number {
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw new TypeError(`${name} must be a positive number of milliseconds, got ${ms}.`);
}
