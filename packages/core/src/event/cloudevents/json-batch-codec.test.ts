import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { testProfile, validEnvelope } from '../../../test/arbitraries.ts';
import { envelope } from '../../../test/envelope.ts';
import { JsonBatchCodec } from './json-batch-codec.ts';

const contentType = 'application/cloudevents-batch+json';
const batches = new JsonBatchCodec({ profile: testProfile });

describe('json batch codec', () => {
  it('reads back what it wrote, in order', () => {
    fc.assert(
      fc.property(fc.array(validEnvelope, { maxLength: 4 }), (events) => {
        const message = batches.encodeBatch(events);
        expect(message.contentType).toBe(contentType);
        expect(batches.decodeBatch(message)).toStrictEqual(events);
      }),
    );
  });

  it('says which event of a batch cannot be read, and keeps the code', () => {
    const good = JSON.parse(batches.encodeBatch([envelope()]).body.slice(1, -1)) as object;
    const body = JSON.stringify([good, { ...good, subject: '' }]);
    expect(() => batches.decodeBatch({ body, contentType })).toThrow(
      'ENVELOPE_INVALID: event 2 of the batch: item.graded event-1: subject must be 1 to 255',
    );
    expect(() => batches.decodeBatch({ body: '[1]', contentType })).toThrow(
      'MESSAGE_UNPARSEABLE: event 1 of the batch is not a JSON object',
    );
  });

  it.each([
    ['{}', contentType, 'the body is not a JSON array'],
    ['[', contentType, 'the body is not JSON'],
    ['[]', 'application/cloudevents+json', 'is not application/cloudevents-batch+json'],
    [`["${'x'.repeat(2 ** 24)}"]`, contentType, 'bytes, the limit is 16777216'],
  ])('refuses %.10s as %s', (body, label, expected) => {
    expect(() => batches.decodeBatch({ body, contentType: label })).toThrow(expected);
  });

  it('refuses unknown options', () => {
    expect(() => new JsonBatchCodec({ maxBatchBytes: 0 })).toThrow(TypeError);
    expect(() => new JsonBatchCodec({ other: 1 } as object)).toThrow(TypeError);
  });
});
