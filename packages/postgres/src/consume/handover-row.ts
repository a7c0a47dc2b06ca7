import type { Handover, NewHandover, OpenHandovers } from '@waybill/core/adapter';

import { coordinateParams } from './dead-letter-row.ts';
import { printable } from './dead-letter-text.ts';
import { labelsOf, labelsText } from './message-labels.ts';

/** A row of `event_handover`, as far as it is read. */
export interface HandoverRow {
  readonly id: bigint;
  readonly group_name: string;
  readonly handler: string;
  readonly derived: boolean;
  readonly source: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly event_version: number;
  readonly key: string;
  readonly transport: string;
  readonly stream: string;
  readonly partition: number | null;
  readonly position: string;
  readonly body: Uint8Array;
  readonly body_is_text: boolean;
  readonly message_labels: unknown;
  readonly entered_at: Date;
  readonly claim_token: string | null;
}

/** A row of what is open, by kind. */
export interface OpenRow {
  readonly handler: string;
  readonly derived: boolean;
  readonly event_type: string;
  readonly event_version: number;
  readonly count: bigint;
  readonly oldest: Date;
}

/** Columns of a new row with their types, in the order of `handoverParams`. */
export const handoverColumns = [
  ['group_name', 'text'],
  ['handler', 'text'],
  ['derived', 'boolean'],
  ['source', 'text'],
  ['event_id', 'text'],
  ['event_type', 'text'],
  ['event_version', 'integer'],
  ['key', 'text'],
  ['transport', 'text'],
  ['stream', 'text'],
  ['partition', 'integer'],
  ['position', 'text'],
  ['body', 'bytea'],
  ['body_is_text', 'boolean'],
  ['message_labels', 'jsonb'],
] as const;

/** Values of a new row. Whatever the message holds, the database can store it. */
export function handoverParams(given: NewHandover): unknown[] {
  const { message } = given;
  return [
    printable(given.group),
    printable(given.handler),
    given.derived,
    printable(given.source),
    printable(given.eventId),
    printable(given.eventType),
    given.eventVersion,
    printable(message.key),
    ...coordinateParams(given.coordinates),
    Buffer.from(message.body),
    typeof message.body === 'string',
    labelsText(message),
  ];
}

/** The handover of a row. */
export function handoverOf(row: HandoverRow): Handover {
  const { id, type, key } = { id: row.event_id, type: row.event_type, key: row.key };
  const labels = labelsOf(row.message_labels) ?? { id, type, key, contentType: 'application/json' };
  return {
    id: String(row.id),
    group: row.group_name,
    handler: row.handler,
    derived: row.derived,
    source: row.source,
    eventId: row.event_id,
    eventType: row.event_type,
    eventVersion: row.event_version,
    enteredAt: row.entered_at,
    coordinates: {
      transport: row.transport,
      stream: row.stream,
      ...(row.partition === null ? {} : { partition: row.partition }),
      position: row.position,
    },
    message: {
      ...labels,
      body: row.body_is_text ? Buffer.from(row.body).toString('utf8') : row.body,
    },
  };
}

/** What a row says of a kind. */
export function openHandoversOf(row: OpenRow): OpenHandovers {
  return {
    handler: row.handler,
    derived: row.derived,
    eventType: row.event_type,
    eventVersion: row.event_version,
    count: Number(row.count),
    oldest: row.oldest,
  };
}
