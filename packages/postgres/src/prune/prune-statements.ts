import type { PrunedKind } from '@waybill/core/adapter';

import { qualified } from '../client/sql-names.ts';
import type { PruneSettings } from './prune-options.ts';

/** What a group owns and no longer needs. */
export interface GroupStatement {
  readonly what: PrunedKind;
  /** Which option says how old the rows may get. */
  readonly age: 'inboxMs' | 'handoversMs' | 'deadLettersMs';
  /** Deletes some rows. `$1`: group; `$2`: those from before, in milliseconds since the epoch; `$3`: most of them. */
  readonly text: string;
}

/** The statements that prune one schema, as data. */
export interface PruneStatements {
  readonly ofGroup: readonly GroupStatement[];
  /** Deletes idempotency keys that have expired. `$1`: most of them. */
  readonly idempotencyKeys: string;
}

const before = `to_timestamp($2::float8 / 1000)`;

/**
 * Rows that somebody has locked are left for the next time. A row of the inbox stays while its event may come
 * back in another way than by the transport, whatever the handler: as a dead letter that is run again, or as
 * a handover.
 */
export function pruneStatements(schema: string): PruneStatements {
  const table = (name: string): string => qualified(schema, name);
  return {
    ofGroup: [
      {
        what: 'inbox',
        age: 'inboxMs',
        text: deletion(
          table('inbox'),
          `old.group_name = $1 AND old.recorded_at < ${before}
           AND NOT EXISTS (
             SELECT FROM ${table('event_dlq')} AS d
             WHERE d.group_name = $1 AND d.status IN ('pending', 'processing')
               AND d.source = old.source AND d.original_event_id = old.event_id)
           AND NOT EXISTS (
             SELECT FROM ${table('event_handover')} AS h
             WHERE h.group_name = $1 AND h.status = 'waiting'
               AND h.source = old.source AND h.event_id = old.event_id)`,
          '$3',
        ),
      },
      {
        what: 'handovers',
        age: 'handoversMs',
        text: deletion(
          table('event_handover'),
          `old.group_name = $1 AND old.status <> 'waiting' AND old.ended_at < ${before}`,
          '$3',
        ),
      },
      {
        what: 'dead-letters',
        age: 'deadLettersMs',
        text: deletion(
          table('event_dlq'),
          `old.group_name = $1 AND old.status IN ('resolved', 'skipped') AND old.resolved_at < ${before}`,
          '$3',
        ),
      },
    ],
    // Whoever worked longer than its claim held may still complete it, as long as nobody else has begun.
    idempotencyKeys: deletion(
      table('idempotency_keys'),
      `old.expires_at < clock_timestamp()
         - CASE old.status WHEN 'processing' THEN interval '7 days' ELSE interval '0' END
       AND (old.claim_until IS NULL OR old.claim_until < clock_timestamp())`,
      '$1',
    ),
  };
}

/** The largest age that one of several users of a table asks for. */
export function longestAgeMs(
  settings: readonly PruneSettings[],
  age: GroupStatement['age'],
): number {
  return Math.max(...settings.map((each) => each[age]));
}

function deletion(table: string, condition: string, limit: string): string {
  return `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
    SELECT old.ctid FROM ${table} AS old
    WHERE ${condition}
    LIMIT ${limit} FOR UPDATE OF old SKIP LOCKED))`;
}
