import type { EventEnvelope } from '../src/event/envelope.ts';

/** An event with the attributes that every event has. */
export function envelope(said: Partial<EventEnvelope> = {}): EventEnvelope {
  return {
    id: 'event-1',
    source: 'tests',
    specversion: '1.0',
    type: 'item.graded',
    datacontenttype: 'application/json',
    time: '2026-01-01T00:00:00.000Z',
    version: 1,
    data: { grade: 'A' },
    ...said,
  };
}
