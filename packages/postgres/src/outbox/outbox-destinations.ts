import type { OutboxStatus, RefusedMessage } from '@waybill/core';
import { unrelayedAfterMs } from '@waybill/core/adapter';
import type { RelayOrders } from '@waybill/core/adapter';

import type { SqlQueryable } from '../client/sql-client.ts';
import type { OutboxTables } from './outbox-rows.ts';

/** Most refused messages that are named one by one. */
const maxNamed = 100;

interface RefusedRow {
  readonly id: bigint;
  readonly destination: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly key: string;
  readonly failure_reason: string;
  readonly error_code: string;
  readonly retryable: boolean;
  readonly attempts: number;
  readonly refused_at: Date;
  readonly retry_at: Date;
}

/** The statements of the outbox about where messages go, and who sees to it. */
export class OutboxDestinations {
  readonly #tables: OutboxTables;

  constructor(tables: OutboxTables) {
    this.#tables = tables;
  }

  async checkIn(db: SqlQueryable, destination: string): Promise<RelayOrders> {
    const { rows } = await db.query<{ marker: string | null; unrelayed: string[] }>(
      `WITH RECURSIVE here AS (
         INSERT INTO ${this.#tables.destinations} AS known (destination, relayed_at)
         VALUES ($1, clock_timestamp())
         ON CONFLICT (destination) DO UPDATE SET relayed_at = clock_timestamp()
         RETURNING marker
       ), ${this.#waitingDestinations()}
       SELECT here.marker, ARRAY(${this.#unrelayed('$1')}) AS unrelayed FROM here`,
      [destination],
      { prepared: true },
    );
    const { marker, unrelayed } = rows[0]!;
    const refused = await this.#refused(db, 'destination = $1', [destination]);
    return { marker, refused, unrelayed };
  }

  async keepMarker(db: SqlQueryable, destination: string, marker: string): Promise<string> {
    const { rows } = await db.query<{ marker: string }>(
      `INSERT INTO ${this.#tables.destinations} AS known (destination, marker) VALUES ($1, $2)
       ON CONFLICT (destination) DO UPDATE SET marker = coalesce(known.marker, EXCLUDED.marker)
       RETURNING marker`,
      [destination, marker],
    );
    return rows[0]!.marker;
  }

  async status(db: SqlQueryable): Promise<OutboxStatus> {
    const { rows } = await db.query<{
      destination: string;
      waiting: bigint;
      age_ms: number;
      relayed_ago_ms: number | null;
    }>(
      `SELECT waiting.*, ${msSince('known.relayed_at')} AS relayed_ago_ms
       FROM (SELECT destination, count(*) AS waiting,
                    ${msSince('min(created_at)')} AS age_ms
             FROM ${this.#tables.outbox} GROUP BY destination) AS waiting
       LEFT JOIN ${this.#tables.destinations} AS known USING (destination)
       ORDER BY destination COLLATE "C"`,
      [],
    );
    const destinations = rows.map((row) => ({
      destination: row.destination,
      waiting: Number(row.waiting),
      oldestAgeMs: Math.max(row.age_ms, 0),
      relayedAgoMs: row.relayed_ago_ms === null ? null : Math.max(row.relayed_ago_ms, 0),
    }));
    return {
      waiting: destinations.reduce((sum, { waiting }) => sum + waiting, 0),
      oldestAgeMs:
        destinations.length === 0
          ? null
          : Math.max(...destinations.map(({ oldestAgeMs }) => oldestAgeMs)),
      destinations,
      refused: await this.#refused(db, 'true', []),
    };
  }

  /** Steps from name to name, because the rows of one of them may be many. */
  #waitingDestinations(): string {
    const { outbox } = this.#tables;
    return `waiting AS (
      (SELECT destination FROM ${outbox} ORDER BY destination LIMIT 1)
      UNION ALL
      SELECT (SELECT next.destination FROM ${outbox} AS next
              WHERE next.destination > waiting.destination ORDER BY next.destination LIMIT 1)
      FROM waiting WHERE waiting.destination IS NOT NULL
    )`;
  }

  /** What has waited for a while, although not for `self`, and nobody has said of late that he relays it. */
  #unrelayed(self: string): string {
    const { outbox, destinations } = this.#tables;
    const long = `interval '${unrelayedAfterMs} milliseconds'`;
    return `SELECT waiting.destination FROM waiting
      LEFT JOIN ${destinations} AS known USING (destination)
      WHERE waiting.destination NOT IN (${self}, '')
        AND (known.relayed_at IS NULL OR known.relayed_at < clock_timestamp() - ${long})
        AND EXISTS (SELECT FROM generate_series(0, 15) AS part(number)
                    CROSS JOIN LATERAL (SELECT created_at FROM ${outbox} AS row
                                        WHERE row.destination = waiting.destination
                                          AND row.partition = part.number
                                        ORDER BY id LIMIT 1) AS oldest
                    WHERE oldest.created_at < clock_timestamp() - ${long})
      ORDER BY waiting.destination`;
  }

  async #refused(
    db: SqlQueryable,
    condition: string,
    params: readonly unknown[],
  ): Promise<RefusedMessage[]> {
    const { rows } = await db.query<RefusedRow>(
      `SELECT id, destination, event_id, event_type, key, failure_reason, error_code, retryable,
              attempts, refused_at, retry_at
       FROM ${this.#tables.outbox} WHERE ${condition} AND retry_at IS NOT NULL
       ORDER BY id LIMIT ${maxNamed}`,
      params,
      { prepared: true },
    );
    return rows.map((row) => ({
      id: String(row.id),
      destination: row.destination,
      eventId: row.event_id,
      eventType: row.event_type,
      key: row.key,
      reason: row.failure_reason,
      errorCode: row.error_code,
      retryable: row.retryable,
      attempts: row.attempts,
      refusedAt: row.refused_at,
      retryAt: row.retry_at,
    }));
  }
}

function msSince(time: string): string {
  return `(extract(epoch FROM clock_timestamp() - ${time}) * 1000)::float8`;
}
