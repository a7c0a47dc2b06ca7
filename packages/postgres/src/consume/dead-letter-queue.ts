import { EventError } from '@waybill/core';
import {
  assertDeadLetterKeys,
  assertKnownOptions,
  type OptionNames,
  assertTransactionChoice,
} from '@waybill/core/adapter';
import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterQueue,
  Resolution,
  TransactionChoice,
} from '@waybill/core';
import type {
  DeadLetterClaim,
  DeadLetterKey,
  NewDeadLetter,
  RedriveOutcome,
} from '@waybill/core/adapter';

import { findDeadLetters } from './dead-letter-search.ts';
import { deadLetterOf, insertColumns, insertParams } from './dead-letter-row.ts';
import type { DeadLetterRow } from './dead-letter-row.ts';
import {
  maxReasonLength,
  maxStackLength,
  oneLine,
  printable,
  severalLines,
} from './dead-letter-text.ts';
import { chosenDatabase } from '../client/chosen-database.ts';
import type { SqlClient, SqlQueryable } from '../client/sql-client.ts';
import { defaultNames, qualified } from '../client/sql-names.ts';

export interface PostgresDeadLetterQueueOptions {
  readonly client: SqlClient;
  /** Schema of the tables; `public` unless given. */
  readonly schema?: string;
}

const filterOptions: OptionNames<DeadLetterFilter> = {
  status: true,
  group: true,
  eventType: true,
  fingerprint: true,
  afterId: true,
  limit: true,
};

const handlingKey =
  '(group_name, handler, source, original_event_id) WHERE group_name IS NOT NULL AND source IS NOT NULL';
const unreadableKey =
  '(group_name, transport, stream, partition, position) WHERE group_name IS NOT NULL AND source IS NULL';
/** What the newer failure says about everything but who failed at what. */
const replaced = insertColumns.filter(
  (name) =>
    !['group_name', 'handler', 'source', 'original_event_id', 'total_attempts'].includes(name),
);

/**
 * Dead letters in the table `event_dlq`, where people may also read and decide about them by SQL.
 *
 * `UPDATE event_dlq SET status = 'processing'` asks for another run; any other status that is set by
 * hand takes the row from the worker that has it.
 */
export class PostgresDeadLetterQueue implements DeadLetterQueue {
  readonly #client: SqlClient;
  readonly #table: string;

  /** @throws {TypeError} If the schema is no name, or an option is not known. */
  constructor(options: PostgresDeadLetterQueueOptions) {
    assertKnownOptions('PostgresDeadLetterQueue', options, { client: true, schema: true });
    const { client, schema = defaultNames.schema } = options;
    this.#client = client;
    this.#table = qualified(schema, 'event_dlq');
  }

  /** A failure after somebody had ended the row opens it again, or nobody would see it. */
  async add(failure: NewDeadLetter, options?: TransactionChoice): Promise<string> {
    assertTransactionChoice('add', options, {});
    const { rows } = await (
      await this.#db(options)
    ).query<{ id: bigint }>(
      `INSERT INTO ${this.#table} AS known (${insertColumns.join(', ')})
       VALUES (${insertColumns.map((_, index) => `$${index + 1}`).join(', ')})
       ON CONFLICT ${failure.event ? handlingKey : unreadableKey} DO UPDATE SET
         ${replaced.map((name) => `${name} = EXCLUDED.${name}`).join(', ')},
         total_attempts = least(known.total_attempts::bigint + EXCLUDED.total_attempts, 2147483647),
         status = CASE known.status WHEN 'processing' THEN 'processing' ELSE 'pending' END,
         resolved_at = NULL, resolved_by = NULL, resolution_notes = NULL
       RETURNING id`,
      insertParams(failure),
    );
    return String(rows[0]!.id);
  }

  async get(id: string): Promise<DeadLetter | null> {
    const rowId = rowIdOf(id);
    if (rowId === null) return null;
    const { rows } = await (
      await this.#db()
    ).query<DeadLetterRow>(`SELECT * FROM ${this.#table} WHERE id = $1`, [rowId]);
    return rows[0] ? deadLetterOf(rows[0]) : null;
  }

  async find(keys: readonly DeadLetterKey[]): Promise<readonly (DeadLetter | null)[]> {
    assertDeadLetterKeys(keys);
    return keys.length === 0 ? [] : await findDeadLetters(await this.#db(), this.#table, keys);
  }

  async list(filter: DeadLetterFilter = {}): Promise<DeadLetter[]> {
    assertKnownOptions('a list of dead letters', filter, filterOptions);
    const limit = checkedLimit(filter.limit);
    const afterId = filter.afterId === undefined ? 0n : rowIdOf(filter.afterId);
    if (afterId === null) return [];
    const { rows } = await (
      await this.#db()
    ).query<DeadLetterRow>(
      `SELECT * FROM ${this.#table}
       WHERE id > $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR group_name = $3)
         AND ($4::text IS NULL OR event_type = $4) AND ($5::text IS NULL OR fingerprint = $5)
       ORDER BY id LIMIT $6`,
      [afterId, ...namesOf(filter), limit],
    );
    return rows.map(deadLetterOf);
  }

  async redrive(id: string): Promise<void> {
    await this.#decide(
      id,
      ['pending'],
      `status = 'processing', resolved_at = NULL, resolved_by = NULL, resolution_notes = NULL`,
    );
  }

  async resolve(id: string, resolution: Resolution): Promise<void> {
    await this.#end(id, 'resolved', resolution);
  }

  async skip(id: string, resolution: Resolution): Promise<void> {
    await this.#end(id, 'skipped', resolution);
  }

  async claim(
    group: string,
    { limit, leaseMs, worker }: { limit: number; leaseMs: number; worker: string },
  ): Promise<DeadLetterClaim[]> {
    const { rows } = await this.#client.query<DeadLetterRow>(
      `UPDATE ${this.#table} AS taken
       SET claim_token = gen_random_uuid(), claim_until = ${leaseEnd('$3')}, claimed_by = $4
       WHERE id = ANY(ARRAY(
         SELECT id FROM ${this.#table}
         WHERE group_name = $1 AND status = 'processing'
           AND (claim_token IS NULL OR claim_until IS NULL OR claim_until < clock_timestamp())
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED))
       RETURNING *`,
      [printable(group), limit, leaseMs, printable(worker)],
    );
    return rows
      .sort((a, b) => Number(a.id - b.id))
      .map((row) => ({ deadLetter: deadLetterOf(row), token: row.claim_token! }));
  }

  async renew(claim: DeadLetterClaim, leaseMs: number): Promise<boolean> {
    return await this.#underClaim(claim, `claim_until = ${leaseEnd('$3')}`, [leaseMs]);
  }

  async settle(claim: DeadLetterClaim, outcome: RedriveOutcome): Promise<boolean> {
    if (outcome.status === 'resolved') {
      return await this.#underClaim(
        claim,
        `status = 'resolved', resolved_at = clock_timestamp(), resolved_by = claimed_by,
         resolution_notes = 'run again'`,
      );
    }
    return await this.#underClaim(
      claim,
      `status = 'pending', total_attempts = least(total_attempts::bigint + $3, 2147483647),
       failure_reason = $4, failure_type = $5, error_code = $6, error_stack = $7, fingerprint = $8`,
      [
        outcome.attempts,
        oneLine(outcome.failureReason, maxReasonLength),
        outcome.failureType,
        outcome.errorCode === undefined ? null : printable(outcome.errorCode),
        outcome.errorStack === undefined ? null : severalLines(outcome.errorStack, maxStackLength),
        printable(outcome.fingerprint),
      ],
    );
  }

  #db(options?: TransactionChoice): Promise<SqlQueryable> {
    return chosenDatabase(this.#client, options);
  }

  async #end(id: string, status: 'resolved' | 'skipped', { by, notes }: Resolution): Promise<void> {
    await this.#decide(
      id,
      ['pending', 'processing'],
      'status = $3, resolved_at = clock_timestamp(), resolved_by = $4, resolution_notes = $5',
      [status, printable(by), severalLines(notes, maxReasonLength)],
    );
  }

  async #decide(
    id: string,
    from: readonly string[],
    changes: string,
    params: readonly unknown[] = [],
  ): Promise<void> {
    const rowId = rowIdOf(id);
    if (rowId === null) throw unavailable(id);
    const db = await this.#db();
    const { rowCount } = await db.query(
      `UPDATE ${this.#table} SET ${changes} WHERE id = $1 AND status = ANY($2::text[])`,
      [rowId, from, ...params],
    );
    if (rowCount === 0) throw unavailable(id, (await this.get(id))?.status);
  }

  async #underClaim(
    { deadLetter, token }: DeadLetterClaim,
    changes: string,
    params: readonly unknown[] = [],
  ): Promise<boolean> {
    const { rowCount } = await (
      await this.#db()
    ).query(
      `UPDATE ${this.#table} SET ${changes}
       WHERE id = $1 AND claim_token = $2 AND status = 'processing'`,
      [rowIdOf(deadLetter.id), token, ...params],
    );
    return rowCount === 1;
  }
}

/** The database's own clock, which does not stand still within a transaction. */
function leaseEnd(parameter: string): string {
  return `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;
}

function namesOf({ status, group, eventType, fingerprint }: DeadLetterFilter): unknown[] {
  const names = [status, group, eventType, fingerprint];
  return names.map((name) => (name === undefined ? null : printable(name)));
}

/** @returns `null` for what cannot be the id of a row. */
function rowIdOf(id: string): bigint | null {
  if (!/^\d{1,18}$/.test(id)) return null;
  return BigInt(id);
}

function unavailable(id: string, status?: string): EventError<'DEAD_LETTER_UNAVAILABLE'> {
  const why = status ? `is ${status} already` : 'does not exist';
  return new EventError('DEAD_LETTER_UNAVAILABLE', `dead letter ${id} ${why}`, {
    deadLetterId: id,
    status,
  });
}

function checkedLimit(limit = 100): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= 1_000) return limit;
  throw new TypeError(`limit must be a whole number from 1 to 1,000, got ${limit}`);
}
