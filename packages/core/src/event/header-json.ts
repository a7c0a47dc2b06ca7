import type { Header } from './message.ts';

/** Text as JSON has it everywhere; what JSONB cannot hold is written as its bytes, with a mark. */
export type JsonText = string | { readonly base64: string; readonly text: true };

/** A header as JSON has it. */
export type JsonHeader = readonly [name: JsonText, value: JsonText | { readonly base64: string }];

/** Writes a text so that JSON gives it back exactly, also from a JSONB column. */
export function textToJson(text: string): JsonText {
  // JSONB refuses U+0000, and halves of surrogate pairs, which nothing carries anyway.
  if (!text.includes('\0') && text.isWellFormed()) return text;
  return { base64: Buffer.from(text).toString('base64'), text: true };
}

/** Reads what `textToJson` has written. @returns `undefined` for anything else. */
export function textFromJson(json: unknown): string | undefined {
  const value = valueFromJson(json);
  return typeof value === 'string' ? value : undefined;
}

/** Writes headers so that JSON keeps their order, their repetitions, and what is text and what bytes. */
export function headersToJson(headers: readonly Header[]): JsonHeader[] {
  return headers.map(([name, value]) => [
    textToJson(name),
    typeof value === 'string' ? textToJson(value) : { base64: base64Of(value) },
  ]);
}

/**
 * Reads what `headersToJson` has written, or an object with one value per name.
 *
 * @returns `undefined` for anything else.
 */
export function headersFromJson(json: unknown): Header[] | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  if (!Array.isArray(json)) return Object.entries(json).map(headerOfEntry);
  const headers = json.map(headerFromJson);
  return headers.every((header) => header !== undefined) ? headers : undefined;
}

function headerFromJson(json: unknown): Header | undefined {
  if (!Array.isArray(json) || json.length !== 2) return undefined;
  const name = textFromJson(json[0]);
  const value = valueFromJson(json[1]);
  return name === undefined || value === undefined ? undefined : [name, value];
}

/** What is no text was written by somebody else; its JSON is the closest to it. */
function headerOfEntry([name, value]: [string, unknown]): Header {
  return [name, typeof value === 'string' ? value : JSON.stringify(value)];
}

function valueFromJson(json: unknown): string | Uint8Array | undefined {
  if (typeof json === 'string') return json;
  if (typeof json !== 'object' || json === null || !('base64' in json)) return undefined;
  if (typeof json.base64 !== 'string') return undefined;
  const bytes = Buffer.from(json.base64, 'base64');
  return 'text' in json && json.text === true ? bytes.toString('utf8') : new Uint8Array(bytes);
}

function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
