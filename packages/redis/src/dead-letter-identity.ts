import type { Coordinates } from '@waybill/core';
import type { NewDeadLetter } from '@waybill/core/adapter';

/** Names the failure of a handling, or of a message that cannot be read: two with one name are one, come again. */
export function identityOf({ group, handler, event, coordinates }: NewDeadLetter): string {
  if (!event) return identityOfPlace(group, coordinates);
  return identityOfHandling({ group, handler, source: event.source, eventId: event.id });
}

export function identityOfHandling(key: {
  group: string;
  handler: string;
  source: string;
  eventId: string;
}): string {
  return JSON.stringify(['event', key.group, key.handler, key.source, key.eventId]);
}

export function identityOfPlace(group: string, coordinates: Coordinates): string {
  const { transport, stream, partition = null, position } = coordinates;
  return JSON.stringify(['place', group, transport, stream, partition, position]);
}
