import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  eventSource,
  eventType,
  extensions,
  keepableData,
  testProfile,
  validEnvelope,
} from '../../../test/arbitraries.ts';
import { JsonBatchCodec } from './json-batch-codec.ts';
import { JsonCodec } from './json-codec.ts';
import { structuredContentType } from './content-type.ts';
import { toWire } from './to-wire.ts';

const codec = new JsonCodec({ profile: testProfile });

/** What the SDK reads from a structured message, by the names on the wire. */
function readBySdk(body: string): Record<string, unknown> {
  const headers = { 'content-type': structuredContentType };
  const event = HTTP.toEvent({ headers, body }) as CloudEvent<unknown>;
  expect(event.validate()).toBe(true);
  return { ...event };
}

/** The SDK drops data that is false in a condition, and writes the time in milliseconds of UTC. */
function asSdkHasIt(wire: Record<string, unknown>): Record<string, unknown> {
  const { data, time, ...rest } = wire;
  return { ...rest, time: new Date(time as string).toISOString(), ...(data ? { data } : {}) };
}

function withoutUndefined(event: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
}

describe('the official SDK', () => {
  it('reads the same values from everything that we write', () => {
    fc.assert(
      fc.property(validEnvelope, (event) => {
        const body = codec.encode(event).body as string;
        expect(withoutUndefined(readBySdk(body))).toEqual(asSdkHasIt(toWire(event, testProfile)));
      }),
    );
  });

  it('writes nothing with JSON data that we would not read the same', () => {
    const sdkEvent = fc.record(
      {
        id: fc.uuid(),
        source: eventSource,
        type: eventType,
        subject: fc.stringMatching(/^[ -~]{1,20}$/),
        dataschema: fc.webUrl(),
        datacontenttype: fc.constantFrom('application/json', 'application/vnd.items+json'),
        data: keepableData,
        extensions,
      },
      { requiredKeys: ['id', 'source', 'type'] },
    );
    fc.assert(
      fc.property(sdkEvent, ({ extensions: others, ...attributes }) => {
        const written = new CloudEvent({ ...attributes, ...others } as { type: string });
        const { headers, body } = HTTP.structured(written);
        const read = codec.decode({
          contentType: headers['content-type'] as string,
          body: body as string,
        });
        const expected = {
          datacontenttype: 'application/json',
          version: 1,
          ...withoutUndefined({ ...written }),
          data: attributes.data ?? null,
        };
        expect(toWire(read, testProfile)).toEqual(expected);
      }),
    );
  });

  it('writes JSON as base64 when it gets bytes, which we read as JSON', () => {
    const bytes = new TextEncoder().encode('{"grade":"Å"}');
    const written = new CloudEvent({
      source: 'sdk',
      type: 'item.graded',
      datacontenttype: 'application/json',
      data: bytes,
    });
    const { body } = HTTP.structured(written);
    expect(JSON.parse(body as string)).toHaveProperty('data_base64');
    const read = codec.decode({ contentType: structuredContentType, body: body as string });
    expect(read.data).toEqual({ grade: 'Å' });
  });

  it('reads our batches', () => {
    const batches = new JsonBatchCodec({ profile: testProfile });
    const batch = fc.array(
      validEnvelope.filter(({ data }) => Boolean(data)),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(batch, (events) => {
        const { contentType, body } = batches.encodeBatch(events);
        const read = HTTP.toEvent({ headers: { 'content-type': contentType }, body });
        const wires = events.map((event) => toWire(event, testProfile));
        const values = (read as CloudEvent<unknown>[]).map((event) =>
          withoutUndefined({ ...event }),
        );
        expect(values).toEqual(wires);
      }),
    );
  });
});
