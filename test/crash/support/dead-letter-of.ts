import type { NewDeadLetter } from '@waybill/core/adapter';

import { draftOf } from './test-events.ts';

/** The failure of a handler of `stock` at one event, always the same. */
export function deadLetterOf(eventId: string): NewDeadLetter {
  const { subject, ...draft } = draftOf(Number(eventId.slice(1)));
  return {
    group: 'stock',
    handler: 'move',
    coordinates: {
      transport: 'postgres-log',
      stream: 'event_log',
      partition: 0,
      position: `0-${eventId.slice(1)}`,
    },
    event: {
      ...draft,
      subject,
      source: 'dock',
      specversion: '1.0',
      datacontenttype: 'application/json',
      time: '2026-01-01T00:00:00Z',
      version: 1,
    },
    eventId,
    eventType: draft.type,
    message: {
      id: eventId,
      type: draft.type,
      key: subject,
      contentType: 'application/cloudevents+json',
      body: JSON.stringify(draft),
    },
    failureReason: 'there is no shelf for this',
    failureType: 'transient',
    totalAttempts: 1,
    fingerprint: 'no-shelf',
  };
}
