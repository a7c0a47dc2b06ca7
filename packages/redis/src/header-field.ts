import { headersFromJson, headersToJson } from '@waybill/core/adapter';
import type { Header } from '@waybill/core';

/** Name of the field that holds headers; and of the header that holds such a field as it is. */
const fieldName = 'headers';

/** The text of a field that holds headers: `[["name","text"],["name",{"base64":"…"}]]`. */
export function headerField(headers: readonly Header[]): string {
  return JSON.stringify(headersToJson(headers));
}

/**
 * The headers in such a field; also those of an object with one value per name, as older versions and
 * others write it. What cannot be read comes whole, as one header with the name of the field, so that it
 * is there to be looked at.
 */
export function headersOfField(field: string): readonly Header[] {
  return headersFromJson(parsed(field)) ?? [unreadHeader(field)];
}

/** A field that could not be read, as a header. */
export function unreadHeader(field: string | Uint8Array): Header {
  return [fieldName, field];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON, and so none of ours.
    return undefined;
  }
}
