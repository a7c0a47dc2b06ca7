import type { NewDeadLetter } from '../../consume/dead-letter-queue.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { Coordinates } from '../../coordinates.ts';
import type { Message } from '../../event/message.ts';

/** A place in a partitioned stream. */
export function place(position: string): Coordinates {
  return { transport: 'test', stream: 'orders', partition: 3, position };
}

/** A message that is no JSON. */
export const brokenMessage: Message = {
  id: 'broken-1',
  type: 'order.placed',
  key: 'order-1',
  contentType: 'application/json',
  body: '{"broken',
};

/** The message that carries an event. */
function messageOf(event: EventEnvelope): Message {
  const { id, type, subject } = event;
  const contentType = 'application/cloudevents+json';
  return { id, type, key: subject ?? id, contentType, body: JSON.stringify(event) };
}

/** A failure of the handler `book` in the group `billing`. */
export function failureOf(event: EventEnvelope, given: Partial<NewDeadLetter> = {}): NewDeadLetter {
  return {
    group: 'billing',
    handler: 'book',
    coordinates: place('1'),
    message: messageOf(event),
    event,
    eventId: event.id,
    eventType: event.type,
    failureReason: 'no',
    failureType: 'unknown',
    totalAttempts: 1,
    fingerprint: 'f-1',
    ...given,
  };
}

/** A message that the group `billing` could not read. */
export function unreadable(given: Partial<NewDeadLetter> = {}): NewDeadLetter {
  return {
    group: 'billing',
    handler: '',
    coordinates: place('1'),
    message: brokenMessage,
    failureReason: 'unexpected end of JSON input',
    failureType: 'permanent',
    errorCode: 'MESSAGE_UNPARSEABLE',
    totalAttempts: 1,
    fingerprint: 'f-2',
    ...given,
  };
}
