/** Longest id, source, type, subject and other short attribute, in UTF-16 units. */
export const maxTextLength: number = 255;

const suspicious = /^\ufeff|[\u0000-\u001f\u007f-\u009f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/;
const forbidden = /^\ufeff|[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/**
 * Says whether a value is text that CloudEvents allows in an attribute: no control characters, no
 * halves of surrogate pairs, no noncharacters. Nor a byte order mark at its beginning, which CloudEvents
 * allows: readers of UTF-8 take it for a sign to themselves and drop it, PGlite among them.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system
 */
export function isText(value: unknown, maxLength: number): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength) return false;
  // The second expression is exact, but slow; nearly no text needs it.
  return !suspicious.test(value) || !forbidden.test(value);
}

const maxShown = 60;

/** Shows a value in a message: on one line, without control characters, never longer than a line. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `"${oneLine(value)}"`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'nothing';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? 'an array' : 'an object';
    case 'bigint':
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
  }
}

/** Text on one line: control characters and lone surrogates escaped, cut after 60 characters. */
export function oneLine(text: string, maxLength: number = maxShown): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return JSON.stringify(cut)
    .slice(1, -1)
    .replaceAll(
      /[\u007f-\u009f\u2028\u2029]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}
