import { EventError } from '@waybill/core';
import { assertKnownOptions, assertRange, maxTimerMs } from '@waybill/core/adapter';
import type { Inbox } from '@waybill/core';
import type { InboxKey } from '@waybill/core/adapter';

import { joinable } from '../client/joinable.ts';
import type { SqlClient, SqlQueryable } from '../client/sql-client.ts';
import { sqlStateOf } from '../client/sql-errors.ts';
import { defaultNames, qualified } from '../client/sql-names.ts';

export interface PostgresInboxOptions {
  readonly client: SqlClient;
  /** Schema of the tables; `public` unless given. */
  readonly schema?: string;
  /** Longest wait for another transaction that records the same key, in milliseconds; 1,000 unless given. */
  readonly lockTimeoutMs?: number;
}

const lockNotAvailable = '55P03';
const pruneBatch = 10_000;

/** Remembers in a table what was handled, so that it commits with the effect or not at all. */
export class PostgresInbox implements Inbox {
  readonly #client: SqlClient;
  readonly #table: string;
  readonly #lockTimeoutMs: number;

  /** @throws {TypeError} If the schema is no name, the time-out is out of range, or an option is not known. */
  constructor(options: PostgresInboxOptions) {
    assertKnownOptions('PostgresInbox', options, {
      client: true,
      schema: true,
      lockTimeoutMs: true,
    });
    const { client, schema = defaultNames.schema, lockTimeoutMs = 1_000 } = options;
    assertRange('PostgresInbox', 'lockTimeoutMs', lockTimeoutMs, 1, maxTimerMs);
    this.#client = client;
    this.#table = qualified(schema, 'inbox');
    this.#lockTimeoutMs = Math.ceil(lockTimeoutMs);
  }

  /**
   * @throws {EventError} `CLAIM_HELD` if another open transaction is recording the key; `STORE_UNAVAILABLE`,
   *   `STORE_REJECTED`, `TX_FOREIGN`, `TX_FINISHED`. After any of them `tx` can only be rolled back.
   */
  async record(key: InboxKey, tx: object): Promise<boolean> {
    const db = joinable(tx);
    try {
      return await this.#insert(db, key);
    } catch (error) {
      if (sqlStateOf(error) !== lockNotAvailable) throw error;
      throw claimHeld(key, error);
    }
  }

  async prune(olderThanMs: number): Promise<number> {
    assertRange('prune', 'olderThanMs', olderThanMs, 0, Number.MAX_SAFE_INTEGER);
    let pruned = 0;
    for (;;) {
      const { rowCount } = await this.#client.query(
        `DELETE FROM ${this.#table} WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM ${this.#table}
           WHERE recorded_at < clock_timestamp() - $1::float8 * interval '1 millisecond' LIMIT $2))`,
        [olderThanMs, pruneBatch],
      );
      pruned += rowCount;
      if (rowCount < pruneBatch) return pruned;
    }
  }

  /** One statement that shortens the lock time-out, inserts under every name, and puts the old time-out back. */
  async #insert(
    db: SqlQueryable,
    { group, handler, formerly = [], source, id }: InboxKey,
  ): Promise<boolean> {
    // Always in one order, or two that know each other's names could wait for each other.
    const names = [...new Set([handler, ...formerly])].sort();
    const { rows } = await db.query<{ inserted: boolean }>(
      `WITH before AS MATERIALIZED (
         SELECT current_setting('lock_timeout') AS lock_timeout,
                set_config('lock_timeout', $5, true) AS changed
       ), inserted AS (
         INSERT INTO ${this.#table} (group_name, handler, source, event_id)
         SELECT $1, name, $3, $4
         FROM before, unnest($2::text[]) WITH ORDINALITY AS called (name, ordinality)
         WHERE changed IS NOT NULL
         ORDER BY ordinality
         ON CONFLICT DO NOTHING
         RETURNING 1
       )
       SELECT counted.inserted, set_config('lock_timeout', before.lock_timeout, true)
       FROM (SELECT count(*) = cardinality($2::text[]) AS inserted FROM inserted) AS counted, before`,
      [group, names, source, id, `${this.#lockTimeoutMs}ms`],
      { prepared: true },
    );
    return rows[0]!.inserted;
  }
}

function claimHeld({ group, handler, id }: InboxKey, cause: unknown): EventError<'CLAIM_HELD'> {
  return new EventError(
    'CLAIM_HELD',
    `${id} is being handled by ${handler} of ${group} in another open transaction; try again later`,
    { key: id },
    { cause },
  );
}
