import type { EventEnvelope } from '@waybill/core';

let made = 0;

/** An event with an id of its own, and whatever matters to the test. */
export function testEvent(given: Partial<EventEnvelope> = {}): EventEnvelope {
  made += 1;
  return {
    id: `event-${process.pid}-${made}`,
    source: 'test',
    specversion: '1.0',
    type: 'thing.happened',
    datacontenttype: 'application/json',
    time: '2026-01-01T00:00:00.000Z',
    version: 1,
    data: {},
    ...given,
  };
}
