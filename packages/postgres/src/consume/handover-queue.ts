import {
  assertHandoverQuestions,
  assertKnownOptions,
  assertRange,
  assertRetirement,
  assertTransactionChoice,
} from '@waybill/core/adapter';
import type { HandoverQueue, Retirement, TransactionChoice } from '@waybill/core';
import type {
  HandoverAnswer,
  HandoverClaim,
  HandoverKind,
  HandoverQuestion,
  NewHandover,
  OpenHandovers,
} from '@waybill/core/adapter';

import { chosenDatabase } from '../client/chosen-database.ts';
import type { SqlClient, SqlQueryable } from '../client/sql-client.ts';
import { defaultNames, qualified } from '../client/sql-names.ts';
import { oneLine, printable } from './dead-letter-text.ts';
import {
  handoverColumns,
  handoverOf,
  handoverParams,
  openHandoversOf,
  type HandoverRow,
  type OpenRow,
} from './handover-row.ts';

export interface PostgresHandoverQueueOptions {
  readonly client: SqlClient;
  /** Schema of the tables; `public` unless given. */
  readonly schema?: string;
}

const pruneBatch = 10_000;
const maxReasonLength = 2_000;
/** One claim after the other in each group, so that no two see the same key free. */
const claimLock = `SELECT pg_advisory_xact_lock(hashtextextended('waybill handovers ' || $1, 0))`;

/** Handovers in the table `event_handover`, which people may also read; `retire_handler` gives one up by SQL. */
export class PostgresHandoverQueue implements HandoverQueue {
  readonly #client: SqlClient;
  readonly #table: string;
  readonly #retired: string;
  readonly #place: string;
  readonly #retireHandler: string;

  /** @throws {TypeError} If the schema is no name, or an option is not known. */
  constructor(options: PostgresHandoverQueueOptions) {
    assertKnownOptions('PostgresHandoverQueue', options, { client: true, schema: true });
    const { client, schema = defaultNames.schema } = options;
    this.#client = client;
    this.#table = qualified(schema, 'event_handover');
    this.#retired = qualified(schema, 'event_handover_retired');
    this.#place = qualified(schema, 'event_handover_place');
    this.#retireHandler = qualified(schema, 'retire_handler');
  }

  async identity(): Promise<string | null> {
    const { rows } = await this.#client.query<{ place: string }>(
      `SELECT place::text AS place FROM ${this.#place}`,
    );
    return rows[0]?.place ?? null;
  }

  async add(handovers: readonly NewHandover[], options?: TransactionChoice): Promise<void> {
    assertTransactionChoice('add', options, {});
    if (handovers.length === 0) return;
    const names = handoverColumns.map(([name]) => name).join(', ');
    const rows = handovers.map((_, at) => {
      const first = at * handoverColumns.length + 1;
      return `(${handoverColumns.map(([, type], index) => `$${first + index}::${type}`).join(', ')}, ${at})`;
    });
    await (
      await this.#db(options)
    ).query(
      `INSERT INTO ${this.#table} (${names}, status, ended_at, ended_by, notes)
       SELECT ${handoverColumns.map(([name]) => `given.${name}`).join(', ')},
              CASE WHEN gone.handler IS NULL THEN 'waiting' ELSE 'skipped' END,
              CASE WHEN gone.handler IS NOT NULL THEN clock_timestamp() END, gone.retired_by, gone.reason
       FROM (VALUES ${rows.join(', ')}) AS given (${names}, at)
       LEFT JOIN ${this.#retired} AS gone USING (group_name, handler)
       ORDER BY given.at
       ON CONFLICT DO NOTHING`,
      handovers.flatMap(handoverParams),
    );
  }

  async look(questions: readonly HandoverQuestion[]): Promise<readonly HandoverAnswer[]> {
    assertHandoverQuestions(questions);
    if (questions.length === 0) return [];
    const asked = questions.map(({ group, handlers, key, source, eventId }, at) => ({
      at,
      group_name: printable(group),
      handlers: handlers.map(printable),
      key: printable(key),
      source: printable(source),
      event_id: printable(eventId),
    }));
    const { rows } = await (
      await this.#db()
    ).query<{ answer: HandoverAnswer }>(
      `SELECT CASE
         WHEN EXISTS (
           SELECT FROM ${this.#table} AS h
           WHERE h.group_name = q.group_name AND h.handler = ANY(q.handlers)
             AND h.source = q.source AND h.event_id = q.event_id) THEN 'known'
         WHEN EXISTS (
           SELECT FROM ${this.#table} AS h
           WHERE h.group_name = q.group_name AND h.key = q.key AND h.status = 'waiting'
             AND h.handler = ANY(q.handlers)) THEN 'waiting'
         ELSE 'none' END AS answer
       FROM jsonb_to_recordset($1::jsonb)
         AS q (at int, group_name text, handlers text[], key text, source text, event_id text)
       ORDER BY q.at`,
      [JSON.stringify(asked)],
      { prepared: true },
    );
    return rows.map(({ answer }) => answer);
  }

  async open(group: string): Promise<readonly OpenHandovers[]> {
    const { rows } = await (
      await this.#db()
    ).query<OpenRow>(
      `SELECT handler, derived, event_type, event_version, count(*) AS count, min(entered_at) AS oldest
       FROM ${this.#table} WHERE group_name = $1 AND status = 'waiting'
       GROUP BY handler, derived, event_type, event_version ORDER BY min(id)`,
      [printable(group)],
      { prepared: true },
    );
    return rows.map(openHandoversOf);
  }

  async claim(
    group: string,
    options: {
      readonly kinds: readonly HandoverKind[];
      readonly limit: number;
      readonly leaseMs: number;
      readonly worker: string;
    },
  ): Promise<HandoverClaim[]> {
    const { kinds, limit, leaseMs, worker } = options;
    const name = printable(group);
    const { rows } = await this.#client.run(
      async (tx) => {
        await tx.query(claimLock, [`${this.#table} ${name}`]);
        return await tx.query<HandoverRow>(this.#claimText(), [
          name,
          printable(worker),
          leaseMs,
          limit,
          kinds.map(({ handler }) => printable(handler)),
          kinds.map(({ eventType }) => printable(eventType)),
          kinds.map(({ eventVersion }) => eventVersion),
        ]);
      },
      { holds: 'briefly' },
    );
    return rows
      .sort((a, b) => Number(a.id - b.id))
      .flatMap((row) =>
        row.claim_token === null ? [] : [{ handover: handoverOf(row), token: row.claim_token }],
      );
  }

  async renew(claim: HandoverClaim, leaseMs: number): Promise<boolean> {
    return await this.#underClaim(claim, `claim_until = ${leaseEnd('$3')}`, [leaseMs]);
  }

  async settle(claim: HandoverClaim): Promise<boolean> {
    return await this.#underClaim(
      claim,
      `status = 'done', ended_at = clock_timestamp(), ended_by = claimed_by,
       claim_token = NULL, claim_until = NULL`,
    );
  }

  async release(claim: HandoverClaim): Promise<boolean> {
    return await this.#underClaim(
      claim,
      'claim_token = NULL, claim_until = NULL, claimed_by = NULL',
    );
  }

  async retire(group: string, handler: string, retirement: Retirement): Promise<number> {
    assertRetirement(retirement);
    const { by, reason } = retirement;
    const { rows } = await this.#client.query<{ skipped: bigint }>(
      `SELECT ${this.#retireHandler}($1, $2, $3, $4) AS skipped`,
      [printable(group), printable(handler), printable(by), oneLine(reason, maxReasonLength)],
    );
    return Number(rows[0]!.skipped);
  }

  async reinstate(group: string, handlers: readonly string[]): Promise<void> {
    await this.#client.query(
      `DELETE FROM ${this.#retired} WHERE group_name = $1 AND handler = ANY($2::text[])`,
      [printable(group), handlers.map(printable)],
    );
  }

  async prune(olderThanMs: number): Promise<number> {
    assertRange('prune', 'olderThanMs', olderThanMs, 0, Number.MAX_SAFE_INTEGER);
    for (let pruned = 0; ;) {
      const { rowCount } = await this.#client.query(
        `DELETE FROM ${this.#table} WHERE id = ANY(ARRAY(
           SELECT id FROM ${this.#table}
           WHERE ended_at < clock_timestamp() - $1::float8 * interval '1 millisecond'
           LIMIT $2 FOR UPDATE SKIP LOCKED))`,
        [olderThanMs, pruneBatch],
      );
      pruned += rowCount;
      if (rowCount < pruneBatch) return pruned;
    }
  }

  /**
   * A claim that is renewed at this moment holds its key: what has lapsed is locked before it counts as lapsed.
   * What has lapsed of a key that is taken, and is not taken itself, loses its token.
   */
  #claimText(): string {
    return `WITH lapsed AS MATERIALIZED (
        SELECT id, key FROM ${this.#table}
        WHERE group_name = $1 AND status = 'waiting' AND claim_until < clock_timestamp()
        ORDER BY id FOR UPDATE
      ), free AS MATERIALIZED (
        SELECT h.id, h.key FROM ${this.#table} AS h
        WHERE h.group_name = $1 AND h.status = 'waiting'
          AND (h.claim_token IS NULL OR h.id IN (SELECT id FROM lapsed))
          AND (h.handler, h.event_type, h.event_version) IN (
            SELECT * FROM unnest($5::text[], $6::text[], $7::int[]))
          AND NOT EXISTS (
            SELECT FROM ${this.#table} AS held
            WHERE held.group_name = h.group_name AND held.key = h.key AND held.status = 'waiting'
              AND held.claim_token IS NOT NULL AND held.claimed_by <> $2
              AND held.id NOT IN (SELECT id FROM lapsed))
        ORDER BY h.id LIMIT $4
      ), next AS MATERIALIZED (
        SELECT id, gen_random_uuid()::text AS token FROM free
        UNION ALL
        SELECT id, NULL FROM lapsed
        WHERE key IN (SELECT key FROM free) AND id NOT IN (SELECT id FROM free)
      )
      UPDATE ${this.#table} AS taken
      SET claim_token = next.token, claimed_by = CASE WHEN next.token IS NOT NULL THEN $2 END,
          claim_until = CASE WHEN next.token IS NOT NULL THEN ${leaseEnd('$3')} END
      FROM next WHERE taken.id = next.id AND taken.status = 'waiting'
      RETURNING taken.*`;
  }

  async #underClaim(
    { handover, token }: HandoverClaim,
    changes: string,
    params: readonly unknown[] = [],
  ): Promise<boolean> {
    const { rowCount } = await this.#client.query(
      `UPDATE ${this.#table} SET ${changes}
       WHERE id = $1 AND claim_token = $2 AND status = 'waiting'`,
      [BigInt(handover.id), token, ...params],
    );
    return rowCount === 1;
  }

  #db(options?: TransactionChoice): Promise<SqlQueryable> {
    return chosenDatabase(this.#client, options);
  }
}

/** The database's own clock, which does not stand still within a transaction. */
function leaseEnd(parameter: string): string {
  return `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;
}
