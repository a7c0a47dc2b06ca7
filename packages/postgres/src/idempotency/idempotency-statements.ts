import type { SqlQueryable } from '../client/sql-client.ts';
import { qualified } from '../client/sql-names.ts';

/** What is known of a key. */
export interface IdempotencyRow {
  readonly key: string;
  readonly operation: string;
  readonly status: 'processing' | 'completed' | 'failed';
  readonly result: unknown;
  /** Tells a result that is JSON null from none. */
  readonly has_result: boolean;
  readonly error: string | null;
  /** A claim on it has not lapsed yet. */
  readonly held: boolean;
}

/** A claim lapses by its own time; rows of other writers have only the one of the result. */
const lapsed = 'coalesce(known.claim_until, known.expires_at) <= clock_timestamp()';

/** `clock_timestamp()`, because `now()` stands still inside a transaction. */
const afterMs = (parameter: string): string =>
  `clock_timestamp() + ${parameter}::double precision * interval '1 millisecond'`;

const often = { prepared: true } as const;

/** The statements on `idempotency_keys` of one schema. */
export class IdempotencyStatements {
  readonly #claim: string;
  readonly #renew: string;
  readonly #end: string;
  readonly #get: string;

  constructor(schema: string) {
    const table = qualified(schema, 'idempotency_keys');
    // One statement, so that of many callers one gets the key: the conflict locks the row.
    this.#claim = `
      INSERT INTO ${table} AS known
        (idempotency_key, operation, status, created_at, expires_at, claim_token, claim_until)
      VALUES ($1, $2, 'processing', clock_timestamp(), ${afterMs('$4')}, $3, ${afterMs('$4')})
      ON CONFLICT (idempotency_key) DO UPDATE SET
        operation = excluded.operation, status = excluded.status, result = NULL, error = NULL,
        expires_at = excluded.expires_at, claim_token = excluded.claim_token,
        claim_until = excluded.claim_until
      WHERE (known.operation = excluded.operation
             AND (known.status = 'failed' OR (known.status = 'processing' AND ${lapsed})))
         OR (known.status = 'completed' AND known.expires_at <= clock_timestamp())`;
    this.#renew = `
      UPDATE ${table} SET claim_until = ${afterMs('$3')}, expires_at = ${afterMs('$3')}
      WHERE idempotency_key = $1 AND claim_token = $2 AND status = 'processing'`;
    this.#end = `
      UPDATE ${table} SET status = $3, result = $4::jsonb, error = $5, expires_at = ${afterMs('$6')},
        claim_token = NULL, claim_until = NULL
      WHERE idempotency_key = $1 AND claim_token = $2 AND status = 'processing'`;
    this.#get = `
      SELECT idempotency_key AS key, operation, status, result, result IS NOT NULL AS has_result, error,
        status = 'processing' AND NOT ${lapsed} AS held
      FROM ${table} AS known
      WHERE idempotency_key = $1 AND (status = 'processing' OR expires_at > clock_timestamp())`;
  }

  /** @returns Whether the key is the caller's now. */
  async claim(
    db: SqlQueryable,
    claim: { key: string; operation: string; token: string; claimMs: number },
  ): Promise<boolean> {
    const { key, operation, token, claimMs } = claim;
    return (await db.query(this.#claim, [key, operation, token, claimMs], often)).rowCount === 1;
  }

  /** @returns False if the token is not the one of the running claim. */
  async renew(
    db: SqlQueryable,
    { key, token, claimMs }: { key: string; token: string; claimMs: number },
  ): Promise<boolean> {
    return (await db.query(this.#renew, [key, token, claimMs])).rowCount === 1;
  }

  /** @returns False if the token is not the one of the running claim. */
  async end(
    db: SqlQueryable,
    end: {
      key: string;
      token: string;
      status: 'completed' | 'failed';
      /** JSON text. */
      result: string | null;
      error: string | null;
      ttlMs: number;
    },
  ): Promise<boolean> {
    const params = [end.key, end.token, end.status, end.result, end.error, end.ttlMs];
    return (await db.query(this.#end, params, often)).rowCount === 1;
  }

  /** @returns Nothing for a result or a failure whose time is over. */
  async get(db: SqlQueryable, key: string): Promise<IdempotencyRow | undefined> {
    return (await db.query<IdempotencyRow>(this.#get, [key], often)).rows[0];
  }
}
