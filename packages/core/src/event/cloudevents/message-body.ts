import { parseExactly } from './exact-json.ts';
import { unparseable } from './unparseable.ts';
import { decodeUtf8 } from './utf8.ts';
import type { WireEvent } from './wire-event.ts';

/**
 * The JSON in a message.
 *
 * @throws {EventError} `MESSAGE_UNPARSEABLE`
 */
export function readBody(
  body: string | Uint8Array,
  contentType: string,
  maxBytes: number,
  maxDepth: number,
): unknown {
  const isText = typeof body === 'string';
  if (!isText && !(body instanceof Uint8Array))
    throw unparseable('there is no body', { contentType });
  if (body.length * (isText ? 3 : 1) > maxBytes) {
    const bytes = Buffer.byteLength(body);
    if (bytes > maxBytes) {
      throw unparseable(`the body takes ${bytes} bytes, the limit is ${maxBytes}`, { contentType });
    }
  }
  return parseExactly(isText ? body : decodeUtf8(body, 'the body'), 'the body', maxDepth);
}

/** Says whether parsed JSON is an object, as every event is. */
export function isWireEvent(value: unknown): value is WireEvent {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
