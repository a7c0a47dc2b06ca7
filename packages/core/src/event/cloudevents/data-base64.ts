import { maxJsonDepth } from '../json-safety.ts';
import { parseExactly } from './exact-json.ts';
import { unparseable } from './unparseable.ts';
import { decodeUtf8 } from './utf8.ts';

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Reads `data_base64`, which may hold any bytes; ours have to be JSON in UTF-8.
 *
 * @throws {EventError} `MESSAGE_UNPARSEABLE`
 */
export function readDataBase64(value: unknown): unknown {
  if (typeof value !== 'string' || value.length % 4 !== 0 || !base64.test(value)) {
    throw unparseable('data_base64 is not base64');
  }
  const text = decodeUtf8(Buffer.from(value, 'base64'), 'data_base64');
  return parseExactly(text, 'data_base64', maxJsonDepth);
}
