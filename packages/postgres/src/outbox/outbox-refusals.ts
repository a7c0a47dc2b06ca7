import type { EventError } from '@waybill/core';

import type { SqlQueryable } from '../client/sql-client.ts';
import { messageColumns } from '../message-columns.ts';
import { batchOf, cutToSize, isDue, partState } from './outbox-rows.ts';
import type { OutboxBatch, OutboxPart, OutboxRow, OutboxTables, PartState } from './outbox-rows.ts';

/** A row that was not taken, and why. */
export interface Refusal {
  readonly id: bigint;
  readonly error: EventError;
}

const maxReasonLength = 2_000;

/** The statements of the outbox about messages that are not taken. */
export class OutboxRefusals {
  readonly #tables: OutboxTables;
  readonly #maxBatchBytes: number;

  constructor(tables: OutboxTables, maxBatchBytes: number) {
    this.#tables = tables;
    this.#maxBatchBytes = maxBatchBytes;
  }

  /** Says what is special about a partition just now. */
  async stateOf(db: SqlQueryable, { destination, partition }: OutboxPart): Promise<PartState> {
    const { rows } = await db.query<PartState>(
      `SELECT ${partState(this.#tables, '$1', '$2')}`,
      [destination, partition],
      { prepared: true },
    );
    return rows[0]!;
  }

  /**
   * Messages whose time has come again. Whoever is letting one of them go just now keeps it.
   *
   * At most one of a key is there, since the others wait behind it.
   */
  async due(db: SqlQueryable, part: OutboxPart, limit: number): Promise<OutboxBatch> {
    const due = `SELECT * FROM ${this.#tables.outbox}
                 WHERE destination = $1 AND partition = $2 AND ${isDue}
                 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED`;
    const { rows } = await db.query<OutboxRow & { bytes: bigint }>(
      `${cutToSize(due, '$4')} ORDER BY id`,
      [part.destination, part.partition, limit, this.#maxBatchBytes],
    );
    return batchOf(rows, { limit, maxBytes: this.#maxBatchBytes });
  }

  /** Notes that messages were not taken, and when to try them again; `retryDelayMs` of core says the same. */
  async note(
    db: SqlQueryable,
    { destination, partition }: OutboxPart,
    refusals: readonly Refusal[],
  ): Promise<void> {
    await db.query(
      `UPDATE ${this.#tables.outbox} AS row
       SET attempts = row.attempts + 1,
           refused_at = coalesce(row.refused_at, clock_timestamp()),
           retry_at = clock_timestamp() + interval '1 millisecond' * least(
             250 * 2 ^ least(row.attempts + 1, 20),
             CASE WHEN refusal.retryable THEN 5000 ELSE 60000 END),
           retryable = refusal.retryable, error_code = refusal.code, failure_reason = refusal.reason
       FROM unnest($3::bigint[], $4::boolean[], $5::text[], $6::text[])
         AS refusal(id, retryable, code, reason)
       WHERE destination = $1 AND row.partition = $2 AND row.id = refusal.id`,
      [
        destination,
        partition,
        refusals.map(({ id }) => id),
        refusals.map(({ error }) => error.retryable),
        refusals.map(({ error }) => error.code),
        refusals.map(({ error }) => storable(error.message)),
      ],
    );
  }

  /** Puts messages back that were let go, and that an operator wants sent after all, at their old places. */
  async putBack(db: SqlQueryable, { destination, partition }: OutboxPart): Promise<void> {
    const { outbox, deadLetters } = this.#tables;
    await db.query(
      `WITH back AS (
         UPDATE ${deadLetters}
         SET status = 'resolved', resolved_at = clock_timestamp(), resolved_by = 'relay',
             resolution_notes = 'put back into the outbox'
         WHERE destination = $1 AND outbox_partition = $2 AND outbox_id IS NOT NULL
           AND status = 'processing'
         RETURNING *
       )
       INSERT INTO ${outbox} (id, destination, partition, ${messageColumns}, attempts, refused_at,
                              retry_at, retryable, error_code, failure_reason)
       SELECT outbox_id, destination, outbox_partition, key, message_labels->>'id',
              message_labels->>'type', message_labels->>'contentType',
              nullif(message_labels->'headers', '[]'), CASE WHEN raw_is_text THEN '' END, raw, total_attempts, entered_dlq_at,
              clock_timestamp(), failure_type = 'transient', error_code, failure_reason
       FROM back
       -- Whoever asks for it twice finds it there.
       ON CONFLICT DO NOTHING`,
      [destination, partition],
    );
  }
}

function storable(text: string): string {
  const cut = text.length > maxReasonLength ? `${text.slice(0, maxReasonLength)}…` : text;
  return cut.replaceAll('\0', '').toWellFormed();
}
