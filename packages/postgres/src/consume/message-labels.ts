import {
  headersFromJson,
  headersToJson,
  textFromJson,
  textToJson,
  type Message,
} from '@waybill/core/adapter';

/** Everything of a message but its body. */
export type MessageLabels = Omit<Message, 'body'>;

/** The JSON of a message's labels, which JSONB holds so that they come back exactly. */
export function labelsText({ id, type, key, contentType, headers = [] }: MessageLabels): string {
  return JSON.stringify({
    id: textToJson(id),
    type: textToJson(type),
    key: textToJson(key),
    contentType: textToJson(contentType),
    headers: headersToJson(headers),
  });
}

/** Reads what `labelsText` has written. @returns `undefined` for anything else. */
export function labelsOf(json: unknown): MessageLabels | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const written: { readonly [Name in keyof MessageLabels]?: unknown } = json;
  const [id, type, key, contentType] = [
    written.id,
    written.type,
    written.key,
    written.contentType,
  ].map(textFromJson);
  const headers = headersFromJson(written.headers);
  if (id === undefined || type === undefined || key === undefined) return undefined;
  if (contentType === undefined || headers === undefined) return undefined;
  return { id, type, key, contentType, ...(headers.length === 0 ? {} : { headers }) };
}
