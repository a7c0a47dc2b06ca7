import type { DeadLetterKey, NewDeadLetter } from '@waybill/core/adapter';

/** Names the failure of a handling, or of a message that cannot be read: two with one name are one, come again. */
export function identityOf({ group, handler, event, coordinates }: NewDeadLetter): string {
  if (!event) return identityOfKey({ group, coordinates });
  return identityOfKey({ group, handler, source: event.source, eventId: event.id });
}

/** The name of the failure that a key is for. */
export function identityOfKey(key: DeadLetterKey): string {
  if ('handler' in key) {
    return JSON.stringify(['event', key.group, key.handler, key.source, key.eventId]);
  }
  const { transport, stream, partition = null, position } = key.coordinates;
  return JSON.stringify(['place', key.group, transport, stream, partition, position]);
}
