import type { NewDeadLetter } from '../consume/dead-letter-queue.ts';
import type { Coordinates } from '../coordinates.ts';

/** Two failures with one name are the same failure, come again. */
export function nameOf({ group, handler, event, coordinates }: NewDeadLetter): string {
  if (!event) return nameOfPlace(group, coordinates);
  return nameOfEvent(group, handler, event.source, event.id);
}

export function nameOfEvent(
  group: string,
  handler: string,
  source: string,
  eventId: string,
): string {
  return JSON.stringify(['event', group, handler, source, eventId]);
}

export function nameOfPlace(group: string, coordinates: Coordinates): string {
  const { transport, stream, partition = null, position } = coordinates;
  return JSON.stringify(['place', group, transport, stream, partition, position]);
}
