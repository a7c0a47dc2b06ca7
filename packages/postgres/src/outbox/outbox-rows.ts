import { partitionOf } from '@waybill/core/adapter';
import type { Message } from '@waybill/core/adapter';

import { qualified, quoteLiteral } from '../client/sql-names.ts';
import type { SqlQueryable } from '../client/sql-client.ts';
import {
  messageColumns,
  messageOf,
  messageParams,
  unnestMessages,
  unnestedColumns,
} from '../message-columns.ts';
import type { MessageRow } from '../message-columns.ts';
import type { Sighting } from './outbox-horizon.ts';

/** A row that is to be published. */
export interface OutboxRow extends MessageRow {
  readonly id: bigint;
}

/** The oldest messages of a partition, and what is needed to forget them. */
export interface OutboxBatch {
  readonly ids: readonly bigint[];
  readonly messages: readonly Message[];
  /** True if the limit or the size ended the batch, so that there may be more. */
  readonly full: boolean;
}

/** The oldest messages that the state of a partition allows. */
export interface OldestBatch extends OutboxBatch {
  /** True if the partition has got another state since it was looked at; the batch is empty then. */
  readonly stale: boolean;
}

/** A partition of the rows for one destination. */
export interface OutboxPart {
  readonly destination: string;
  readonly partition: number;
}

/** A partition, and the first id that a scan of it must look at. */
export interface ScanStart {
  readonly partition: number;
  readonly fromId: bigint;
}

/** What is special about a partition just now. */
export interface PartState {
  /** True if keys of it are held back. */
  readonly holds: boolean;
  /** True if rows of older versions lie in it, which name no destination. */
  readonly adopts: boolean;
}

/** What a look at a partition has shown. */
export interface PartSighting extends Sighting, PartState {
  /** False if another relay has it. */
  readonly taken: boolean;
}

/** The locks of a partition. */
export interface PartLocks {
  /** Shared by relays of all destinations; those of older versions take it alone. */
  readonly shared: number;
  /** Of one destination. */
  readonly own: number;
}

/** Names of the tables that the outbox reads and writes. */
export interface OutboxTables {
  readonly outbox: string;
  readonly sequence: string;
  readonly deadLetters: string;
  readonly destinations: string;
}

export function outboxTables(schema: string): OutboxTables {
  return {
    outbox: qualified(schema, 'outbox'),
    sequence: qualified(schema, 'outbox_id_seq'),
    deadLetters: qualified(schema, 'event_dlq'),
    destinations: qualified(schema, 'event_destination'),
  };
}

/** Keys that wait behind a message that was refused or let go, with their partitions. */
function allHeldKeys({ outbox, deadLetters }: OutboxTables, destination: string): string {
  return `SELECT partition, key FROM ${outbox}
          WHERE destination = ${destination} AND retry_at IS NOT NULL
          UNION
          SELECT outbox_partition, key FROM ${deadLetters}
          WHERE destination = ${destination} AND outbox_partition IS NOT NULL AND key IS NOT NULL
            AND outbox_id IS NOT NULL AND status IN ('pending', 'processing')`;
}

/** The same of one partition. */
function heldKeys(tables: OutboxTables, destination: string, partition: string): string {
  return `SELECT key FROM (${allHeldKeys(tables, destination)}) AS held
          WHERE partition = ${partition}`;
}

/**
 * Whether the time of a message has come again. What lies further ahead than any delay was told by a clock that
 * was put back since.
 */
export const isDue = `retry_at IS NOT NULL AND (retry_at <= clock_timestamp()
                       OR retry_at > clock_timestamp() + interval '61 seconds')`;

/** Whether rows of older versions lie in a partition. */
function hasUnnamed({ outbox }: OutboxTables, partition: string): string {
  return `EXISTS (SELECT FROM ${outbox} WHERE destination = '' AND partition = ${partition})`;
}

/** Columns of `PartState`, for parameters that say destination and partition. */
export function partState(tables: OutboxTables, destination: string, partition: string): string {
  return `EXISTS (${heldKeys(tables, destination, partition)}) AS holds,
          ${hasUnnamed(tables, partition)} AS adopts`;
}

/** Ends rows, oldest first, before they hold much more than so many bytes; one row is always left. */
export function cutToSize(rows: string, maxBytes: string): string {
  const bytesOf = `octet_length(coalesce(body, '')) + coalesce(octet_length(body_bytes), 0)`;
  return `SELECT id, ${messageColumns}, bytes
          FROM (SELECT *, sum(${bytesOf}) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes
                FROM (${rows}) AS whole) AS summed
          WHERE bytes - (${bytesOf}) < ${maxBytes}`;
}

/** The batch in rows that were cut to a size. */
export function batchOf(
  rows: readonly (OutboxRow & { readonly bytes: bigint })[],
  { limit, maxBytes }: { limit: number; maxBytes: number },
): OutboxBatch {
  return {
    ids: rows.map(({ id }) => id),
    messages: rows.map(messageOf),
    full: rows.length === limit || (rows.at(-1)?.bytes ?? 0n) >= maxBytes,
  };
}

/** The statements of the outbox that every message needs. */
export class OutboxRows {
  readonly #tables: OutboxTables;
  /** Takes the transaction id before the row id: see `OutboxHorizon`. */
  readonly #nextId: string;
  readonly #maxBatchBytes: number;

  constructor(tables: OutboxTables, maxBatchBytes: number) {
    this.#tables = tables;
    const sequence = `${quoteLiteral(tables.sequence)}::regclass`;
    this.#nextId = `CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval(${sequence}) END`;
    this.#maxBatchBytes = maxBatchBytes;
  }

  async insert(db: SqlQueryable, messages: readonly Message[], destination: string): Promise<void> {
    const [only] = messages;
    if (messages.length === 1) await this.#insertOne(db, only!, destination);
    else await this.#insertSeveral(db, messages, destination);
  }

  async #insertOne(db: SqlQueryable, message: Message, destination: string): Promise<void> {
    await db.query(
      `INSERT INTO ${this.#tables.outbox} (id, destination, partition, ${messageColumns})
       VALUES (${this.#nextId}, $1, $2, $3, $4, $5, $6, $7::jsonb, $8, decode($9, 'base64'))`,
      [destination, partitionOf(message.key), ...messageParams([message]).map(([value]) => value)],
      { prepared: true },
    );
  }

  async #insertSeveral(
    db: SqlQueryable,
    messages: readonly Message[],
    destination: string,
  ): Promise<void> {
    await db.query(
      `INSERT INTO ${this.#tables.outbox} (id, destination, partition, ${messageColumns})
       SELECT ${this.#nextId}, $1, message.partition, ${unnestedColumns}
       FROM (SELECT * FROM ${unnestMessages(3, { partition: '$2::smallint[]' })}
             ORDER BY ordinal) AS message`,
      [destination, messages.map(({ key }) => partitionOf(key)), ...messageParams(messages)],
      { prepared: true },
    );
  }

  /** Takes a partition until the end of the transaction, unless another relay has it. */
  async tryLock(
    db: SqlQueryable,
    { shared, own }: PartLocks,
    { destination, partition }: OutboxPart,
  ): Promise<PartSighting> {
    const { rows } = await db.query<{
      taken: boolean;
      holds: boolean;
      adopts: boolean;
      last_id: bigint;
      xmin: bigint;
      xmax: bigint;
    }>(
      `SELECT CASE WHEN pg_try_advisory_xact_lock_shared($1, $3)
                   THEN pg_try_advisory_xact_lock($2, $3) ELSE false END AS taken,
              ${partState(this.#tables, '$4', '$3')},
              CASE WHEN is_called THEN last_value ELSE 0 END AS last_id,
              pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
              pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax
       FROM ${this.#tables.sequence}`,
      [shared, own, partition, destination],
      { prepared: true },
    );
    const { last_id: lastId, ...sighting } = rows[0]!;
    return { ...sighting, lastId };
  }

  /**
   * Reads at least one row if there is one; a batch ends before it holds much more than the size allows.
   *
   * What else is committed since the look at the partition could otherwise be overtaken: the row of an older
   * version, or one that was refused.
   *
   * @param around True to leave out keys that are held back.
   */
  async oldest(
    db: SqlQueryable,
    part: OutboxPart & ScanStart,
    { limit, around }: { limit: number; around: boolean },
  ): Promise<OldestBatch> {
    const held = heldKeys(this.#tables, '$1', '$2');
    const unnamed = hasUnnamed(this.#tables, '$2');
    const oldest = `SELECT * FROM ${this.#tables.outbox}
                    WHERE destination = $1 AND partition = $2 AND id >= $3
                      ${around ? `AND retry_at IS NULL AND key NOT IN (${held})` : ''}
                    ORDER BY id LIMIT $4`;
    const { rows } = await db.query<OutboxRow & { bytes: bigint; stale: boolean }>(
      `SELECT (SELECT ${around ? unnamed : `${unnamed} OR EXISTS (${held})`}) AS stale, batch.*
       FROM (${cutToSize(oldest, '$5')}) AS batch
       ORDER BY id`,
      [part.destination, part.partition, part.fromId, limit, this.#maxBatchBytes],
      { prepared: true },
    );
    // Where there is nothing, nothing can be overtaken.
    const stale = rows[0]?.stale ?? false;
    const size = { limit, maxBytes: this.#maxBatchBytes };
    return { ...batchOf(stale ? [] : rows, size), stale };
  }

  /** Makes rows of older versions this destination's own. */
  async adopt(db: SqlQueryable, { destination, partition }: OutboxPart): Promise<void> {
    await db.query(
      `UPDATE ${this.#tables.outbox} SET destination = $1 WHERE destination = '' AND partition = $2`,
      [destination, partition],
    );
  }

  async forget(
    db: SqlQueryable,
    { destination, partition }: OutboxPart,
    ids: readonly bigint[],
  ): Promise<void> {
    await db.query(
      `DELETE FROM ${this.#tables.outbox}
       WHERE destination = $1 AND partition = $2 AND id = ANY($3::bigint[])`,
      [destination, partition, ids],
      { prepared: true },
    );
  }

  /** Partitions in which something can be tried now. */
  async waiting(
    db: SqlQueryable,
    destination: string,
    starts: readonly ScanStart[],
  ): Promise<number[]> {
    const { outbox, deadLetters } = this.#tables;
    const { rows } = await db.query<{ partition: number }>(
      // Made once and hashed: a look for each row would cost seconds where many wait behind few.
      `WITH held AS MATERIALIZED (${allHeldKeys(this.#tables, '$1')})
       SELECT start.partition FROM unnest($2::smallint[], $3::bigint[]) AS start(partition, id)
       -- Sorted, so that it goes by the index where all rows lie in one partition.
       WHERE (SELECT true FROM ${outbox} AS row
              WHERE row.destination = $1 AND row.partition = start.partition AND row.id >= start.id
                AND retry_at IS NULL AND (partition, key) NOT IN (SELECT partition, key FROM held)
              ORDER BY row.id LIMIT 1)
          OR EXISTS (SELECT FROM ${outbox} AS row
                     WHERE row.destination = $1 AND row.partition = start.partition
                       AND ${isDue})
          OR EXISTS (SELECT FROM ${outbox} AS row
                     WHERE row.destination = '' AND row.partition = start.partition)
          OR EXISTS (SELECT FROM ${deadLetters}
                     WHERE destination = $1 AND outbox_partition = start.partition
                       AND outbox_id IS NOT NULL AND status = 'processing')
       ORDER BY start.partition`,
      [destination, starts.map(({ partition }) => partition), starts.map(({ fromId }) => fromId)],
      { prepared: true },
    );
    return rows.map(({ partition }) => partition);
  }
}
