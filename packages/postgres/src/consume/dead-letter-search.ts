import type { DeadLetter } from '@waybill/core';
import type { DeadLetterKey } from '@waybill/core/adapter';

import type { SqlQueryable } from '../client/sql-client.ts';
import { coordinateParams, deadLetterOf } from './dead-letter-row.ts';
import type { DeadLetterRow } from './dead-letter-row.ts';
import { printable } from './dead-letter-text.ts';

/** A row, and the place in the list of the key that it was found by. */
type FoundRow = DeadLetterRow & { readonly asked: number };

/**
 * Looks up many dead letters in one statement.
 *
 * @param keys One or more.
 * @returns The dead letter of each key, in the order given.
 */
export async function findDeadLetters(
  db: SqlQueryable,
  table: string,
  keys: readonly DeadLetterKey[],
): Promise<(DeadLetter | null)[]> {
  const { rows } = await db.query<FoundRow>(
    `SELECT k.asked, d.*
     FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS k(asked, group_name, handler, source, event_id)
     JOIN ${table} AS d ON d.group_name = k.group_name AND d.handler = k.handler
       AND d.source = k.source AND d.original_event_id = k.event_id
     WHERE d.group_name IS NOT NULL AND d.source IS NOT NULL
     UNION ALL
     SELECT k.asked, d.*
     FROM unnest($6::integer[], $7::text[], $8::text[], $9::text[], $10::integer[], $11::text[])
       AS k(asked, group_name, transport, stream, partition, position)
     JOIN ${table} AS d ON d.group_name = k.group_name AND d.transport = k.transport
       AND d.stream = k.stream AND d.partition IS NOT DISTINCT FROM k.partition
       AND d.position = k.position
     WHERE d.group_name IS NOT NULL AND d.source IS NULL`,
    [...handlingParams(keys), ...placeParams(keys)],
  );
  const found = new Map(rows.map((row) => [row.asked, deadLetterOf(row)]));
  return keys.map((_, asked) => found.get(asked) ?? null);
}

/** Place in the list, group, handler, source and event id of the keys that have them, column by column. */
function handlingParams(keys: readonly DeadLetterKey[]): unknown[][] {
  const asked = keys.flatMap((key, index) =>
    'handler' in key
      ? [[index, ...[key.group, key.handler, key.source, key.eventId].map(printable)]]
      : [],
  );
  return columnsOf(asked, 5);
}

/** Place in the list, group and coordinates of the keys of unreadable messages, column by column. */
function placeParams(keys: readonly DeadLetterKey[]): unknown[][] {
  const asked = keys.flatMap((key, index) =>
    'handler' in key ? [] : [[index, printable(key.group), ...coordinateParams(key.coordinates)]],
  );
  return columnsOf(asked, 6);
}

function columnsOf(rows: readonly unknown[][], width: number): unknown[][] {
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column]));
}
