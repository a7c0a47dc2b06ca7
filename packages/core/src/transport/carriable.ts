import { EventError } from '../errors.ts';
import { eventLabel } from '../event/event-label.ts';
import type { Header, Message } from '../event/message.ts';
import { oneLine } from '../text.ts';

/**
 * Makes sure that a transport can carry a message as it is: UTF-8 has no half of a surrogate pair, and
 * a driver would put another character in its place.
 *
 * @throws {EventError} `MESSAGE_UNPARSEABLE`
 */
export function assertCarriable(message: Message): void {
  const { id, type, key, contentType, body, headers } = message;
  // Spelled out, since this runs for every message.
  const isCarriable =
    id.isWellFormed() &&
    type.isWellFormed() &&
    key.isWellFormed() &&
    contentType.isWellFormed() &&
    (typeof body !== 'string' || body.isWellFormed());
  if (isCarriable && headers === undefined) return;
  const texts = Object.entries({ id, type, key, contentType, body });
  for (const [part, text] of [...texts, ...textsOf(headers ?? [])]) {
    if (typeof text !== 'string' || text.isWellFormed()) continue;
    throw new EventError(
      'MESSAGE_UNPARSEABLE',
      `${eventLabel(message)}: its ${oneLine(part)} holds half a surrogate pair, which UTF-8 cannot carry`,
      {},
    );
  }
}

function textsOf(headers: readonly Header[]): [part: string, text: string | Uint8Array][] {
  return headers.flatMap(([name, value]) => [
    [`header ${name}`, name],
    [`header ${name}`, value],
  ]);
}
