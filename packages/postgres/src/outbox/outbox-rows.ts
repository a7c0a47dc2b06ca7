import { partitionOf } from '@waybill/core/adapter';
import type { Message } from '@waybill/core/adapter';

import {
  messageColumns,
  messageOf,
  messageParams,
  unnestMessages,
  unnestedColumns,
} from '../message-columns.ts';
import type { MessageRow } from '../message-columns.ts';
import type { Sighting } from './outbox-horizon.ts';
import type { SqlQueryable } from '../client/sql-client.ts';
import { qualified, quoteLiteral } from '../client/sql-names.ts';

/** The oldest messages of a partition, and what is needed to forget them. */
export interface OutboxBatch {
  readonly ids: readonly bigint[];
  readonly messages: readonly Message[];
  /** True if the limit or the size ended the batch, so that there may be more. */
  readonly full: boolean;
}

/** A partition, and the first id that a scan of it must look at. */
export interface ScanStart {
  readonly partition: number;
  readonly fromId: bigint;
}

/** The statements of the outbox. */
export class OutboxRows {
  readonly #table: string;
  readonly #sequence: string;
  /** Takes the transaction id before the row id: see `OutboxHorizon`. */
  readonly #nextId: string;
  readonly #maxBatchBytes: number;

  constructor(schema: string, maxBatchBytes: number) {
    this.#table = qualified(schema, 'outbox');
    this.#sequence = qualified(schema, 'outbox_id_seq');
    const sequence = `${quoteLiteral(this.#sequence)}::regclass`;
    this.#nextId = `CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval(${sequence}) END`;
    this.#maxBatchBytes = maxBatchBytes;
  }

  async insert(db: SqlQueryable, messages: readonly Message[]): Promise<void> {
    const [only] = messages;
    if (messages.length === 1) await this.#insertOne(db, only!);
    else await this.#insertSeveral(db, messages);
  }

  async #insertOne(db: SqlQueryable, message: Message): Promise<void> {
    await db.query(
      `INSERT INTO ${this.#table} (id, partition, ${messageColumns})
       VALUES (${this.#nextId}, $1, $2, $3, $4, $5, $6::jsonb, $7, decode($8, 'base64'))`,
      [partitionOf(message.key), ...messageParams([message]).map(([value]) => value)],
      { prepared: true },
    );
  }

  async #insertSeveral(db: SqlQueryable, messages: readonly Message[]): Promise<void> {
    await db.query(
      `INSERT INTO ${this.#table} (id, partition, ${messageColumns})
       SELECT ${this.#nextId}, message.partition, ${unnestedColumns}
       FROM (SELECT * FROM ${unnestMessages(2, { partition: '$1::smallint[]' })}
             ORDER BY ordinal) AS message`,
      [messages.map(({ key }) => partitionOf(key)), ...messageParams(messages)],
      { prepared: true },
    );
  }

  /** Takes a partition until the end of the transaction, unless another relay has it. */
  async tryLock(
    db: SqlQueryable,
    lockSpace: number,
    partition: number,
  ): Promise<Sighting & { readonly taken: boolean }> {
    const { rows } = await db.query<{
      taken: boolean;
      last_id: bigint;
      xmin: bigint;
      xmax: bigint;
    }>(
      `SELECT pg_try_advisory_xact_lock($1, $2) AS taken,
              CASE WHEN is_called THEN last_value ELSE 0 END AS last_id,
              pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
              pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax
       FROM ${this.#sequence}`,
      [lockSpace, partition],
      { prepared: true },
    );
    const { taken, last_id: lastId, xmin, xmax } = rows[0]!;
    return { taken, lastId, xmin, xmax };
  }

  /** Reads at least one row if there is one; a batch ends before it holds much more than the size allows. */
  async oldest(
    db: SqlQueryable,
    { partition, fromId }: ScanStart,
    limit: number,
  ): Promise<OutboxBatch> {
    const { rows } = await db.query<MessageRow & { id: bigint; bytes: bigint }>(
      `SELECT id, ${messageColumns}, bytes
       FROM (SELECT *, sum(octet_length(coalesce(body, '')) + coalesce(octet_length(body_bytes), 0))
                       OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes
             FROM ${this.#table} WHERE partition = $1 AND id >= $2 ORDER BY id LIMIT $3) AS oldest
       WHERE bytes - octet_length(coalesce(body, '')) - coalesce(octet_length(body_bytes), 0) < $4
       ORDER BY id`,
      [partition, fromId, limit, this.#maxBatchBytes],
      { prepared: true },
    );
    const bytes = rows.at(-1)?.bytes ?? 0n;
    return {
      ids: rows.map(({ id }) => id),
      messages: rows.map(messageOf),
      full: rows.length === limit || bytes >= this.#maxBatchBytes,
    };
  }

  async forget(db: SqlQueryable, partition: number, ids: readonly bigint[]): Promise<void> {
    await db.query(
      `DELETE FROM ${this.#table} WHERE partition = $1 AND id = ANY($2::bigint[])`,
      [partition, ids],
      { prepared: true },
    );
  }

  async waiting(db: SqlQueryable, starts: readonly ScanStart[]): Promise<number[]> {
    const { rows } = await db.query<{ partition: number }>(
      `SELECT start.partition FROM unnest($1::smallint[], $2::bigint[]) AS start(partition, id)
       WHERE EXISTS (SELECT FROM ${this.#table} AS row
                     WHERE row.partition = start.partition AND row.id >= start.id)
       ORDER BY start.partition`,
      [starts.map(({ partition }) => partition), starts.map(({ fromId }) => fromId)],
      { prepared: true },
    );
    return rows.map(({ partition }) => partition);
  }

  async status(db: SqlQueryable): Promise<{ waiting: number; oldestAgeMs: number | null }> {
    const { rows } = await db.query<{ waiting: bigint; age_ms: number | null }>(
      `SELECT count(*) AS waiting,
              (extract(epoch FROM clock_timestamp() - min(created_at)) * 1000)::float8 AS age_ms
       FROM ${this.#table}`,
      [],
    );
    const { waiting, age_ms: ageMs } = rows[0]!;
    return { waiting: Number(waiting), oldestAgeMs: ageMs === null ? null : Math.max(ageMs, 0) };
  }
}
