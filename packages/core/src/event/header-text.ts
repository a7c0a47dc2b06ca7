import { isUtf8 } from 'node:buffer';

/** The text of a header's value; `undefined` for bytes that are no UTF-8. */
export function headerText(value: string | Uint8Array): string | undefined {
  if (typeof value === 'string') return value;
  return isUtf8(value) ? Buffer.from(value).toString('utf8') : undefined;
}

/** A header's value as a message for people shows it. */
export function shownHeader(value: string | Uint8Array): string {
  return headerText(value) ?? `${value.length} bytes that are no text`;
}
