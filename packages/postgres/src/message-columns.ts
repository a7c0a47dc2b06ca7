import type { Header } from '@waybill/core';
import { headersFromJson, headersToJson, type Message } from '@waybill/core/adapter';

/** Columns that keep a message, in the outbox and in the log alike. */
export interface MessageRow {
  readonly key: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly content_type: string;
  /** As `headersToJson` writes them; in older rows an object with one value per name. */
  readonly headers: unknown;
  /** The body, if it was a string; empty if `body_bytes` holds that string. */
  readonly body: string | null;
  /** The body, if it was bytes, or a string that does not come back whole from a `text` column. */
  readonly body_bytes: Uint8Array | null;
}

/** Names of the columns, for a statement's column list. */
export const messageColumns =
  'key, event_id, event_type, content_type, headers, body, body_bytes' as const;

/**
 * Source of the columns for `INSERT … SELECT`, out of one array per column, in the order given.
 *
 * @param first Number of the first parameter; seven are used, as `messageParams` makes them.
 * @param extra Further arrays of the same length, e.g. `$1::smallint[]`, by the name of their column.
 */
export function unnestMessages(
  first: number,
  extra: Readonly<Record<string, string>> = {},
): string {
  const names = ['key', 'event_id', 'event_type', 'content_type', 'headers', 'body', 'bytes64'];
  const arrays = names.map((_, index) => `$${first + index}::text[]`);
  const columns = [...names, ...Object.keys(extra), 'ordinal'].join(', ');
  const sources = [...arrays, ...Object.values(extra)].join(', ');
  return `unnest(${sources}) WITH ORDINALITY AS message(${columns})`;
}

/** What to select from `unnestMessages` for `messageColumns`. */
export const unnestedColumns =
  "message.key, message.event_id, message.event_type, message.content_type, message.headers::jsonb, message.body, decode(message.bytes64, 'base64')" as const;

/** One array per column. Bytes go as base64, because drivers disagree about arrays of `bytea`. */
export function messageParams(messages: readonly Message[]): (string | null)[][] {
  return [
    messages.map(({ key }) => key),
    messages.map(({ id }) => id),
    messages.map(({ type }) => type),
    messages.map(({ contentType }) => contentType),
    messages.map(({ headers }) => (headers ? headersText(headers) : null)),
    messages.map(({ body }) => (typeof body === 'string' ? (fitsText(body) ? body : '') : null)),
    messages.map(({ body }) => (fitsText(body) ? null : Buffer.from(body).toString('base64'))),
  ];
}

/** The message of a row. */
export function messageOf(row: MessageRow): Message {
  return {
    id: row.event_id,
    type: row.event_type,
    key: row.key,
    contentType: row.content_type,
    body: bodyOf(row),
    ...(row.headers === null ? null : headersOf(row.headers)),
  };
}

function headersText(headers: readonly Header[]): string | null {
  return headers.length === 0 ? null : JSON.stringify(headersToJson(headers));
}

/** What somebody else has put there comes whole, as one header, rather than not at all. */
function headersOf(json: unknown): Pick<Message, 'headers'> {
  const headers = headersFromJson(json) ?? [['headers', JSON.stringify(json)] as const];
  return headers.length === 0 ? {} : { headers };
}

function bodyOf({ body, body_bytes: bytes }: MessageRow): string | Uint8Array {
  if (bytes === null) return body ?? '';
  return body === null ? bytes : Buffer.from(bytes).toString('utf8');
}

/** `text` holds no NUL character, and PGlite takes a byte order mark at the front for one of its own. */
function fitsText(body: string | Uint8Array): body is string {
  return typeof body === 'string' && !body.includes('\0') && !body.startsWith('\uFEFF');
}
