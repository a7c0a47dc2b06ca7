import { isUtf8 } from 'node:buffer';

import type { Coordinates } from '@waybill/core';
import type { Message } from '@waybill/core/adapter';

import { headerField, headersOfField } from './header-field.ts';

/** Columns of a message, named like those of `event_dlq`. */
export function messageColumns(message: Message): Record<string, string | undefined> {
  return { key: message.key, ...labelColumns(message), ...rawColumns(message.body) };
}

/** Columns of a message without its key and its body. */
export function labelColumns(message: Message): Record<string, string | undefined> {
  return {
    message_id: message.id,
    message_type: message.type,
    content_type: message.contentType,
    headers: message.headers && headerField(message.headers),
  };
}

/** Columns of where a message lies. */
export function coordinateColumns(coordinates: Coordinates): Record<string, string | undefined> {
  return {
    transport: coordinates.transport,
    stream: coordinates.stream,
    partition: coordinates.partition?.toString(),
    position: coordinates.position,
  };
}

/** The message of such columns. An entry of an older version has no names of the message; those of its event are the closest to them. */
export function messageOf(all: ReadonlyMap<string, string>): Message {
  const text = (name: string): string => all.get(name) ?? '';
  const field = text('headers');
  const headers = field === '' ? [] : headersOfField(field);
  return {
    id: all.get('message_id') ?? text('original_event_id'),
    type: all.get('message_type') ?? text('event_type'),
    key: text('key'),
    contentType: text('content_type'),
    body: rawOf(text),
    ...(headers.length === 0 ? {} : { headers }),
  };
}

/** Where the message of such columns lies. */
export function coordinatesOf(text: (name: string) => string): Coordinates {
  const partition = text('partition');
  return {
    transport: text('transport'),
    stream: text('stream'),
    ...(partition === '' ? {} : { partition: Number(partition) }),
    position: text('position'),
  };
}

/** Names and values in turn; what is not known is empty. */
export function flat(columns: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(columns).flatMap(([name, value]) => [name, value ?? '']);
}

/** Names with their values, as Redis answers them in turn. */
export function pairs(fields: readonly string[]): [string, string][] {
  return Array.from({ length: fields.length / 2 }, (_, at) => [
    fields[2 * at]!,
    fields[2 * at + 1]!,
  ]);
}

/** Bytes that are text stay readable for people; others are written in base64. */
export function rawColumns(raw: string | Uint8Array): Record<string, string> {
  const isText = typeof raw === 'string';
  const encoding = isText || isUtf8(raw) ? 'utf8' : 'base64';
  const written = isText ? raw : Buffer.from(raw).toString(encoding);
  return { raw: written, raw_is_text: String(isText), raw_encoding: encoding };
}

function rawOf(text: (name: string) => string): string | Uint8Array {
  if (text('raw_is_text') === 'true') return text('raw');
  return Buffer.from(text('raw'), text('raw_encoding') === 'base64' ? 'base64' : 'utf8');
}
