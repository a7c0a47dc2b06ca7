import { unparseable } from './unparseable.ts';

// A byte order mark is kept, so that the parser refuses it.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Bytes as text.
 *
 * @param what Names the bytes in messages, e.g. `the body`.
 * @throws {EventError} `MESSAGE_UNPARSEABLE` if they are not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw unparseable(`${what} is not UTF-8`, { cause });
  }
}
