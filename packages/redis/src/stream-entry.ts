import { isUtf8 } from 'node:buffer';

import type { Message } from '@waybill/core/adapter';

import { headerField, headersOfField, unreadHeader } from './header-field.ts';
import type { RedisArgument } from './redis-like.ts';

/** One entry of a stream as Redis answers it: its id, and names and values in turn; `null` if it was deleted. */
export type StreamEntry = readonly [id: string, fields: readonly string[] | null];

const usualContentType = 'application/cloudevents+json';

/** Says whether a message has nothing but what nearly every one has. */
export function isPlain({ type, contentType, headers, body }: Message): boolean {
  return (
    contentType === usualContentType &&
    type !== '' &&
    typeof body === 'string' &&
    (headers === undefined || headers.length === 0)
  );
}

/** How much of an entry a message takes, in bytes or UTF-16 units. */
export function sizeOf({ body, headers }: Message): number {
  if (headers === undefined) return body.length;
  return headers.reduce((size, [name, value]) => size + name.length + value.length, body.length);
}

/**
 * The fields of an entry: what a reader needs before it parses, then the event itself. The same names in
 * the same order cost no memory but once per block of entries.
 */
export function fieldsOf(message: Message): RedisArgument[] {
  const { id, type, key, contentType, body, headers } = message;
  const event = typeof body === 'string' ? body : Buffer.from(body);
  const fields: RedisArgument[] = ['id', id, 'type', type, 'key', key, 'event', event];
  if (contentType !== usualContentType) fields.push('contenttype', contentType);
  if (headers && headers.length > 0) fields.push('headers', headerField(headers));
  return fields;
}

/**
 * The message of an entry.
 *
 * What somebody else has put into the stream, without an event in it, comes as bytes that no codec can
 * read, and so becomes a dead letter that shows all names and values as they were.
 */
export function messageOf(entryId: string, fields: readonly string[]): Message {
  const isOurs = fields[0] === 'id' && fields[2] === 'type' && fields[4] === 'key';
  if (isOurs && fields[6] === 'event' && fields.length === 8) {
    const [, id, , type, , key, , body] = fields as [...string[]] & { length: 8 };
    const known = id || entryId;
    return {
      id: known,
      type: type!,
      key: key || known,
      contentType: usualContentType,
      body: body!,
    };
  }
  const named = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) named.set(fields[at]!, fields[at + 1]!);
  const id = named.get('id') || entryId;
  const field = named.get('headers');
  const headers = field === undefined ? [] : headersOfField(field);
  const body = named.get('event');
  return {
    id,
    type: named.get('type') ?? '',
    key: named.get('key') || id,
    contentType:
      body === undefined
        ? 'application/x-redis-stream-entry'
        : (named.get('contenttype') ?? usualContentType),
    body: body ?? JSON.stringify(fields),
    ...(headers.length === 0 ? {} : { headers }),
  };
}

/** Reads the fields of one entry as bytes; nothing if it is gone. */
export type EntryBytes = (
  stream: string,
  entryId: string,
) => Promise<readonly Buffer[] | undefined>;

/** An entry, and whatever else is known of it. */
export type AnyEntry = readonly [id: string, ...unknown[], fields: readonly string[]];

/**
 * The messages of entries that were read as text.
 *
 * Where text looks as if it came from bytes that are no UTF-8, the entry is read once more, so that what a
 * dead letter keeps is what was published.
 */
export async function readWhole(
  stream: string,
  entries: readonly AnyEntry[],
  bytesOf: EntryBytes,
): Promise<Message[]> {
  const messages = entries.map((entry) => messageOf(entry[0], entry.at(-1) as readonly string[]));
  for (const [index, message] of messages.entries()) {
    if (!mayHaveBeenBytes(message)) continue;
    const fields = (await bytesOf(stream, entries[index]![0])) ?? [];
    messages[index] = { ...message, ...bytesIn(fields) };
  }
  return messages;
}

/** Whatever is no UTF-8 has such characters once it is read as text. */
function mayHaveBeenBytes({ body, headers }: Message): boolean {
  if ((body as string).includes('\uFFFD')) return true;
  if (headers === undefined) return false;
  const texts = headers.flat().filter((part) => typeof part === 'string');
  return texts.some((text) => text.includes('\uFFFD'));
}

/** What of an entry is no UTF-8, and so no text. */
function bytesIn(fields: readonly Buffer[]): Partial<Message> {
  const body = valueOf('event', fields);
  const field = valueOf('headers', fields);
  return {
    ...(body && !isUtf8(body) ? { body } : {}),
    ...(field && !isUtf8(field) ? { headers: [unreadHeader(field)] } : {}),
  };
}

function valueOf(name: string, fields: readonly Buffer[]): Buffer | undefined {
  const wanted = Buffer.from(name);
  const at = fields.findLastIndex((field, index) => index % 2 === 0 && field.equals(wanted));
  return at < 0 ? undefined : fields[at + 1];
}
