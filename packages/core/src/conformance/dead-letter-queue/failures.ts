import type { NewDeadLetter } from '../../consume/dead-letter-queue.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { Coordinates } from '../../coordinates.ts';

/** A place in a partitioned stream. */
export function place(position: string): Coordinates {
  return { transport: 'test', stream: 'orders', partition: 3, position };
}

/** A failure of the handler `book` in the group `billing`. */
export function failureOf(event: EventEnvelope, given: Partial<NewDeadLetter> = {}): NewDeadLetter {
  return {
    group: 'billing',
    handler: 'book',
    key: event.subject ?? event.id,
    coordinates: place('1'),
    event,
    eventId: event.id,
    eventType: event.type,
    raw: JSON.stringify(event),
    contentType: 'application/cloudevents+json',
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
    key: 'order-1',
    coordinates: place('1'),
    raw: '{"broken',
    contentType: 'application/json',
    failureReason: 'unexpected end of JSON input',
    failureType: 'permanent',
    errorCode: 'MESSAGE_UNPARSEABLE',
    totalAttempts: 1,
    fingerprint: 'f-2',
    ...given,
  };
}
