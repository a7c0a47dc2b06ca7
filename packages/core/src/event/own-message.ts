import type { Header, Message } from './message.ts';

/**
 * A message that shares no bytes with its publisher, who may use its buffers again. Headers that are an
 * empty list are left out.
 */
export function ownMessage(message: Message): Message {
  if (typeof message.body === 'string' && message.headers === undefined) return message;
  const { headers = [], ...rest } = message;
  const own = { ...rest, body: ownBytes(message.body) };
  return headers.length === 0 ? own : { ...own, headers: headers.map(ownHeader) };
}

function ownHeader([name, value]: Header): Header {
  return [name, ownBytes(value)];
}

function ownBytes(value: string | Uint8Array): string | Uint8Array {
  return typeof value === 'string' ? value : new Uint8Array(value);
}
