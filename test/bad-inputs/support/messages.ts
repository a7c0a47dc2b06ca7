import { randomUUID } from 'node:crypto';

import type { Message } from '@waybill/core/adapter';

/** A good event as it looks on the wire, with parts of its own. */
export function wireEvent(
  parts: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> & { id: string } {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'quickintakez',
    type: 'item.received',
    datacontenttype: 'application/json',
    time: '2026-01-31T12:00:00Z',
    version: 1,
    data: { itemId: 'item-1' },
    ...parts,
  };
}

/** The JSON of a good event whose `data` is this very text. */
export function wireText(data: string): string {
  return JSON.stringify(wireEvent({ data: null })).replace('"data":null', () => `"data":${data}`);
}

/** What carries a body; its labels tell the truth about an event of a warehouse. */
export function messageOf(
  body: string | Uint8Array,
  labels: Partial<Omit<Message, 'body'>> = {},
): Message {
  return {
    id: randomUUID(),
    type: 'item.received',
    key: 'item-1',
    contentType: 'application/cloudevents+json',
    ...labels,
    body,
  };
}
