import { shownHeader } from '../header-text.ts';
import type { Header } from '../message.ts';
import { oneLine } from '../../text.ts';
import { unparseable } from './unparseable.ts';

export const structuredContentType = 'application/cloudevents+json';
export const batchContentType = 'application/cloudevents-batch+json';

/**
 * Makes sure that a message is labelled as what we are about to read, in UTF-8 and not compressed.
 *
 * @throws {EventError} `MESSAGE_UNPARSEABLE`
 */
export function assertContent(
  expected: string,
  contentType: string,
  headers: readonly Header[] | undefined,
): void {
  if (contentType !== expected) assertMediaType(expected, contentType);
  if (headers === undefined) return;
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== 'content-encoding') continue;
    const encoding = shownHeader(value);
    if (encoding.toLowerCase() === 'identity') continue;
    throw unparseable(`the body is encoded with "${oneLine(encoding)}"; send it uncompressed`, {
      contentType,
    });
  }
}

function assertMediaType(expected: string, contentType: string): void {
  const shown = oneLine(String(contentType));
  const [mediaType, ...parameters] = String(contentType)
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (mediaType !== expected) {
    throw unparseable(`content type "${shown}" is not ${expected}`, { contentType: shown });
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset'));
  if (charset === undefined || /^charset="?utf-?8"?$/.test(charset)) return;
  throw unparseable(`content type "${shown}" names another charset than UTF-8`, {
    contentType: shown,
  });
}
