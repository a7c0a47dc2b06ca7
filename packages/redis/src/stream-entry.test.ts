import type { Message } from '@waybill/core/adapter';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fieldsOf, isPlain, messageOf, readWhole } from './stream-entry.ts';

const texts = fc.string({ unit: 'binary', minLength: 1 });
/** Any text, and those that are names of fields or look like numbers. */
const odd = fc.oneof(
  texts,
  fc.constantFrom('id', 'type', 'key', 'event', 'headers', '__proto__', '0'),
);
const messages: fc.Arbitrary<Message> = fc
  .record({
    id: odd,
    type: odd,
    key: odd,
    contentType: fc.oneof(fc.constant('application/cloudevents+json'), odd),
    body: fc.oneof(fc.constant(''), odd),
    headers: fc.array(
      fc.tuple(odd, fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 4 }))),
      { maxLength: 3 },
    ),
  })
  .map(({ headers, ...message }) => (headers.length > 0 ? { ...message, headers } : message));

/** The fields as a client reads them: all text. */
function readFields(message: Message): string[] {
  return fieldsOf(message).map(String);
}

describe('entries of a stream', () => {
  it('bring back every message that was put into them', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(messageOf('1-0', readFields(message))).toEqual(message);
      }),
    );
  });

  it('of usual messages have four fields, in one order', () => {
    const usual: Message = {
      id: 'e-1',
      type: 'item.graded',
      key: 'item-1',
      contentType: 'application/cloudevents+json',
      body: '{}',
    };
    const fields = ['id', 'e-1', 'type', 'item.graded', 'key', 'item-1', 'event', '{}'];
    expect(fieldsOf(usual)).toEqual(fields);
    expect(fieldsOf({ ...usual, headers: [] })).toEqual(fields);
    expect(isPlain({ ...usual, headers: [] })).toBe(true);
    expect(isPlain({ ...usual, headers: [['note', 'n']] })).toBe(false);
  });

  it('have bytes as bytes', () => {
    const body = Uint8Array.of(0xff, 0, 0xc3);
    const fields = fieldsOf({ id: 'e', type: 't', key: 'k', contentType: 'c', body });
    expect(fields[7]).toEqual(Buffer.from(body));
  });

  it('that somebody else put there are messages that no codec reads', () => {
    const message = messageOf('5-1', ['sku', 'ABC123', 'sku', 'DEF456', '__proto__', 'x']);
    expect(message).toEqual({
      id: '5-1',
      type: '',
      key: '5-1',
      contentType: 'application/x-redis-stream-entry',
      body: '["sku","ABC123","sku","DEF456","__proto__","x"]',
    });
  });

  it.each([
    ['in another order', ['event', '{}', 'key', 'k', 'type', 'item.graded', 'id', 'e-1'], {}],
    [
      'with more fields',
      ['id', 'e-1', 'type', 'item.graded', 'key', 'k', 'event', '{}', 'x', 'y'],
      {},
    ],
    ['without id and key', ['type', 'item.graded', 'event', '{}'], { id: '5-1', key: '5-1' }],
    [
      'with an empty id and key',
      ['id', '', 'type', 'item.graded', 'key', '', 'event', '{}'],
      { id: '5-1', key: '5-1' },
    ],
    ['without a key', ['id', 'e-1', 'type', 'item.graded', 'event', '{}'], { key: 'e-1' }],
    ['without a type', ['id', 'e-1', 'key', 'k', 'event', '{}'], { type: '' }],
  ])('are read %s', (_, fields, differing) => {
    const usual = {
      id: 'e-1',
      type: 'item.graded',
      key: 'k',
      contentType: 'application/cloudevents+json',
      body: '{}',
    };
    expect(messageOf('5-1', fields)).toEqual({ ...usual, ...differing });
  });

  const withHeaders = (headers: string): string[] =>
    ['id', 'e', 'type', 't', 'key', 'k', 'event', '{}'].concat('headers', headers);

  it.each(['', '{', '7', 'null', '"text"', '[7]', '[["name",null]]'])(
    'keep headers that cannot be read as one header: %j',
    (headers) => {
      expect(messageOf('1-0', withHeaders(headers)).headers).toEqual([['headers', headers]]);
    },
  );

  it.each(['{}', '[]'])('have no headers where they are %j', (headers) => {
    expect(messageOf('1-0', withHeaders(headers))).not.toHaveProperty('headers');
  });

  it('of older versions have one value per name', () => {
    const headers = '{"traceparent":"00-1","shelf":7,"__proto__":"own"}';
    expect(messageOf('1-0', withHeaders(headers)).headers).toEqual([
      ['traceparent', '00-1'],
      ['shelf', '7'],
      ['__proto__', 'own'],
    ]);
  });

  describe('whose text may have been other bytes', () => {
    const entry = (id: string, body: string): [string, readonly string[]] => [
      id,
      ['id', id, 'type', 't', 'key', 'k', 'event', body],
    ];
    const stored = (body: Uint8Array): Buffer[] => [
      ...['id', 'e', 'type', 't', 'key', 'k', 'event'].map((text) => Buffer.from(text)),
      Buffer.from(body),
    ];
    /** Reads entries of which these are stored as bytes, and notes which were asked for. */
    async function bodies(
      entries: readonly [string, readonly string[]][],
      bytes: Readonly<Record<string, Uint8Array>>,
    ): Promise<{ bodies: unknown[]; asked: string[] }> {
      const asked: string[] = [];
      const whole = await readWhole('items', entries, async (stream, id) => {
        asked.push(`${stream} ${id}`);
        return bytes[id] && stored(bytes[id]);
      });
      return { bodies: whole.map(({ body }) => body), asked };
    }

    it('come as those bytes', async () => {
      const bytes = Buffer.from('7b2261223a22ff227d', 'hex');
      const entries = [entry('1-0', '{}'), entry('2-0', bytes.toString())];
      expect(await bodies(entries, { '2-0': bytes })).toEqual({
        bodies: ['{}', bytes],
        asked: ['items 2-0'],
      });
    });

    it('are those of the event that text was taken for, should there be two', async () => {
      const bytes = Buffer.of(0xff);
      const names = ['id', 'e', 'type', 't', 'key', 'k', 'event', '{}', 'event', '\uFFFD'];
      const fields = names.map((text) => (text === '\uFFFD' ? bytes : Buffer.from(text)));
      const [message] = await readWhole('items', [['1-0', names]], async () => fields);
      expect(message!.body).toEqual(bytes);
    });

    it('come as those bytes in headers, too', async () => {
      const headers = Buffer.from('5b22ff225d', 'hex');
      const names = ['id', 'e', 'type', 't', 'key', 'k', 'event', '{}', 'headers'];
      const read = [...names, headers.toString()];
      const fields = [...names.map((name) => Buffer.from(name)), headers];
      const [message] = await readWhole('items', [['1-0', read]], async () => fields);
      expect(message).toMatchObject({ body: '{}', headers: [['headers', headers]] });
    });

    it('stay headers if that is what was stored', async () => {
      const sent: Message = {
        id: 'e',
        type: 't',
        key: 'k',
        contentType: 'c',
        body: '{}',
        headers: [['note', 'a real \uFFFD']],
      };
      const fields = fieldsOf(sent).map(String);
      const readAgain = async (): Promise<Buffer[]> => fields.map((field) => Buffer.from(field));
      expect(await readWhole('items', [['1-0', fields]], readAgain)).toEqual([sent]);
    });

    it('stay text if that is what was stored', async () => {
      const text = 'a real \uFFFD';
      const whole = await bodies([entry('1-0', text)], { '1-0': Buffer.from(text) });
      expect(whole.bodies).toEqual([text]);
    });

    it('stay as they were read if they are gone meanwhile', async () => {
      const text = 'was \uFFFD';
      expect((await bodies([entry('1-0', text)], {})).bodies).toEqual([text]);
    });
  });
});
