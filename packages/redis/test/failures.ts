import type { EventEnvelope } from '@waybill/core';
import type { Message, NewDeadLetter } from '@waybill/core/adapter';

export const group = 'quicklistz-group';
export const resolution = { by: 'ops', notes: 'fixed' };
export const event: EventEnvelope = {
  id: 'e-1',
  source: 'quickgradez',
  specversion: '1.0',
  type: 'item.graded',
  datacontenttype: 'application/json',
  time: '2026-03-01T12:00:00.000Z',
  version: 1,
  data: { grade: 'B' },
};
/** The message that carried it, with whatever matters to the test. */
export function message(given: Partial<Message> = {}): Message {
  const { id, type } = event;
  const contentType = 'application/cloudevents+json';
  return { id, type, key: '123456789', contentType, body: JSON.stringify(event), ...given };
}

/** The handling that `failure()` is about. */
export const handling = { group, handler: 'list', source: 'quickgradez', eventId: 'e-1' };

/** A failure of the handler `list` with the event `e-1`, with whatever matters to the test. */
export function failure(given: Partial<NewDeadLetter> = {}): NewDeadLetter {
  return {
    group,
    handler: 'list',
    coordinates: {
      transport: 'redis',
      stream: 'quickwms:events:item',
      position: '1700000000000-0',
    },
    message: message(),
    event,
    failureReason: 'no such item',
    failureType: 'permanent',
    totalAttempts: 3,
    fingerprint: 'f-1',
    ...given,
  };
}

/** Failures of as many events. */
export function failures(count: number, given: Partial<NewDeadLetter> = {}): NewDeadLetter[] {
  return Array.from({ length: count }, (_, number) =>
    failure({ event: { ...event, id: `e-${number}` }, ...given }),
  );
}
