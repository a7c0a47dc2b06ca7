import { oneLine } from '../text.ts';
import type { EventEnvelope } from './envelope.ts';

/** Names an event in a message, by type and id, whatever these hold; `an event` when it has neither. */
export function eventLabel(event: Partial<Pick<EventEnvelope, 'type' | 'id'>>): string {
  const parts = [event.type, event.id].filter((part) => typeof part === 'string' && part !== '');
  return parts.length === 0 ? 'an event' : parts.map((part) => oneLine(part!)).join(' ');
}
