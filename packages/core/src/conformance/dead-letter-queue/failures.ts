import type { DeadLetterKey, DeadLetterSink } from '../../consume/dead-letter-sink.ts';
import type { DeadLetter, NewDeadLetter } from '../../consume/dead-letter.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { Coordinates } from '../../coordinates.ts';
import type { Message } from '../../event/message.ts';
import { awkwardHeaders } from '../transport/awkward-headers.ts';

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

/** Messages that say other things of themselves than their event does, one after the other. */
export const awkwardMessages: readonly Message[] = [
  { ...brokenMessage, headers: awkwardHeaders },
  { id: '', type: '', key: 'a\0b', contentType: 'text/plain; of="ü"\u0007', body: '\0 \uFEFF' },
  { ...brokenMessage, id: 'another \0', type: '\uFEFFt', body: Buffer.from('text as bytes') },
  {
    id: 'message-3',
    type: 'order.paid',
    key: 'order-7',
    contentType: '',
    body: new Uint8Array(0),
    headers: awkwardHeaders.toReversed(),
  },
];

/** The message that carries an event. */
export function messageOf(event: EventEnvelope): Message {
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

/** What a failure is found by once it was recorded. */
export function keyOf({ group, handler, event, coordinates }: NewDeadLetter): DeadLetterKey {
  if (!event) return { group, coordinates };
  return { group, handler, source: event.source, eventId: event.id };
}

/** Looks one failure up. */
export async function findOne(
  sink: DeadLetterSink,
  key: DeadLetterKey,
): Promise<DeadLetter | null> {
  const [found] = await sink.find([key]);
  return found!;
}
