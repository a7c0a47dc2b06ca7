import type { DeadLetterKey } from '../consume/dead-letter-sink.ts';
import type { NewDeadLetter } from '../consume/dead-letter.ts';

/** Two failures with one name are the same failure, come again. */
export function nameOf({ group, handler, event, coordinates }: NewDeadLetter): string {
  if (!event) return nameOfKey({ group, coordinates });
  return nameOfKey({ group, handler, source: event.source, eventId: event.id });
}

export function nameOfKey(key: DeadLetterKey): string {
  if ('handler' in key) {
    return JSON.stringify(['event', key.group, key.handler, key.source, key.eventId]);
  }
  const { transport, stream, partition = null, position } = key.coordinates;
  return JSON.stringify(['place', key.group, transport, stream, partition, position]);
}
