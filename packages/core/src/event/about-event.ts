import type { EventEnvelope } from './envelope.ts';
import type { Message } from './message.ts';
import type { EventLabels } from '../observer.ts';

/** What an observation says of an event. */
export function aboutEvent(
  {
    type,
    id,
    source,
    correlationId,
  }: Pick<EventEnvelope, 'type' | 'id' | 'source' | 'correlationId'>,
  known: { group?: string; handler?: string; key?: string; attempt?: number } = {},
): EventLabels {
  const { group, handler, key, attempt } = known;
  return { eventType: type, eventId: id, source, correlationId, key, group, handler, attempt };
}

/** What an observation says of a message that nobody has read. */
export function aboutMessage(
  { type, id, key }: Pick<Message, 'type' | 'id' | 'key'>,
  group?: string,
  handler?: string,
): EventLabels {
  return {
    eventType: type,
    eventId: id,
    source: undefined,
    correlationId: undefined,
    key,
    group,
    handler,
    attempt: undefined,
  };
}
