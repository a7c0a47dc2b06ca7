import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { keepableData, testProfile, validEnvelope } from '../../../test/arbitraries.ts';
import { envelope } from '../../../test/envelope.ts';
import type { EventEnvelope, Profile } from '../envelope.ts';
import type { Header } from '../message.ts';
import { isEventError } from '../../errors.ts';
import type { Observation } from '../../observer.ts';
import { JsonCodec } from './json-codec.ts';

const contentType = 'application/cloudevents+json';
const codec = new JsonCodec({ profile: testProfile, now: () => Date.UTC(2026, 0, 31) });

/** A structured message with some attributes said otherwise; `undefined` leaves one out. */
function bodyWith(said: Record<string, unknown> = {}): string {
  const wire = { specversion: '1.0', id: 'e-1', source: 'tests', type: 'item.graded', data: {} };
  return JSON.stringify({ ...wire, ...said });
}

/** A structured message whose data is this very text. */
function bodyWithData(text: string): string {
  return `{"specversion":"1.0","id":"e-1","source":"tests","type":"item.graded","data":${text}}`;
}

function decode(body: string | Uint8Array, headers?: readonly Header[]): EventEnvelope {
  return codec.decode({ body, contentType, ...(headers ? { headers } : {}) });
}

/** The message of the error that `run` throws; fails if it throws none of ours. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isEventError(error)) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('json codec', () => {
  it('reads back what it wrote, whatever the event carries', () => {
    fc.assert(
      fc.property(validEnvelope, (event) => {
        expect(codec.decode(codec.encode(event))).toStrictEqual(event);
      }),
    );
  });

  it('reads bytes as it reads text', () => {
    fc.assert(
      fc.property(validEnvelope, (event) => {
        const message = codec.encode(event);
        const body = new TextEncoder().encode(message.body as string);
        expect(codec.decode({ ...message, body })).toStrictEqual(event);
      }),
    );
  });

  it('puts id, type and ordering key on the message', () => {
    const ordered = new JsonCodec({ profile: { ...testProfile, keyOf: () => 'shelf-7' } });
    expect(ordered.encode(envelope())).toMatchObject({
      id: 'event-1',
      type: 'item.graded',
      key: 'shelf-7',
      contentType,
    });
    expect(codec.encode(envelope({ subject: 'item-1' })).key).toBe('item-1');
    expect(codec.encode(envelope()).key).toBe('event-1');
  });

  it('writes legal CloudEvents names only', () => {
    fc.assert(
      fc.property(validEnvelope, (event) => {
        const names = Object.keys(JSON.parse(codec.encode(event).body as string) as object);
        expect(names.filter((name) => !/^[a-z0-9]{1,20}$/.test(name))).toEqual([]);
      }),
    );
  });

  it('leaves out properties of data that are undefined', () => {
    const event = envelope({ data: { grade: 'A', note: undefined } });
    expect(decode(codec.encode(event).body).data).toStrictEqual({ grade: 'A' });
  });

  it('keeps data that only looks dangerous', () => {
    const data = {
      then: 'a key',
      constructor: { prototype: 'polluted' },
      toString: 'text',
      toJSON: 1,
      noncharacter: '\uFFFE\u{1FFFF}',
      escapes: '\u001b[31m \\u0000 \\ud800',
      large: 2 ** 53,
      larger: 1e300,
      tiny: 5e-324,
    };
    const read = decode(codec.encode(envelope({ data })).body);
    expect(read.data).toEqual(data);
    expect(({} as { prototype?: unknown }).prototype).toBeUndefined();
  });

  it('accepts an object without prototype', () => {
    const data = Object.assign(Object.create(null) as object, { grade: 'A' });
    expect(decode(codec.encode(envelope({ data })).body).data).toEqual({ grade: 'A' });
  });

  it('never calls or awaits what is in the payload', async () => {
    const read = await Promise.resolve(decode(bodyWithData('{"then":{"then":"x"}}')));
    expect(read.data).toEqual({ then: { then: 'x' } });
    const awaited = refusal(() => codec.encode(envelope({ data: { then: () => {} } })));
    expect(awaited).toBe(
      'PAYLOAD_NOT_JSON: item.graded event-1: data.then is a function, which JSON drops',
    );
  });
});

describe('json codec, reading from others', () => {
  it('fills in what may be missing', () => {
    expect(decode(bodyWith({ data: undefined, subject: null }))).toStrictEqual({
      id: 'e-1',
      source: 'tests',
      specversion: '1.0',
      type: 'item.graded',
      datacontenttype: 'application/json',
      time: '2026-01-31T00:00:00.000Z',
      version: 1,
      data: null,
    });
  });

  it('keeps attributes that it does not know, and writes them again', () => {
    const read = decode(bodyWith({ region: 'eu', rank: 7, hot: false, constructor: 'c' }));
    expect(read.extensions).toEqual({ region: 'eu', rank: 7, hot: false, constructor: 'c' });
    expect(decode(codec.encode(read).body)).toStrictEqual(read);
  });

  it('takes retry count and environment for metadata only when both are of the right kind', () => {
    const ours = decode(bodyWith({ retrycount: 2, environment: 'staging' }));
    expect(ours).toMatchObject({ metadata: { retryCount: 2, environment: 'staging' } });
    expect(ours.extensions).toBeUndefined();
    for (const theirs of [
      { environment: 'qa', retrycount: 1 },
      { retrycount: 3 },
      { retrycount: 1, environment: 'staging', originaltimestamp: 'yesterday' },
    ]) {
      const read = decode(bodyWith(theirs));
      expect(read.metadata).toBeUndefined();
      expect(read.extensions).toEqual(theirs);
      expect(decode(codec.encode(read).body)).toStrictEqual(read);
    }
  });

  it('takes integers that an intermediary has turned into text', () => {
    const read = decode(bodyWith({ version: '2', retrycount: '0', environment: 'production' }));
    expect(read).toMatchObject({ version: 2, metadata: { retryCount: 0 } });
  });

  it('reads data_base64 that holds JSON', () => {
    const data_base64 = Buffer.from('{"grade":"Å"}').toString('base64');
    expect(decode(bodyWith({ data: undefined, data_base64 })).data).toEqual({ grade: 'Å' });
  });

  it('accepts white space, escapes and other ways to write a number', () => {
    const text = '{ "a" : [ 1.0 , 1e3, 25000, 0.001 ],\n"b" : "\\u0041\\n\\ud83d\\ude00" }';
    expect(decode(bodyWithData(text)).data).toEqual({ a: [1, 1000, 25_000, 0.001], b: 'A\n😀' });
  });

  it.each(['application/cloudevents+json; charset=UTF-8', 'Application/CloudEvents+JSON'])(
    'accepts the content type %s',
    (label) => {
      expect(codec.decode({ body: bodyWith(), contentType: label }).id).toBe('e-1');
    },
  );

  it('accepts headers that repeat attributes of the body', () => {
    const headers: Header[] = [
      ['ce-id', 'e-1'],
      ['ce_type', 'item.graded'],
      ['CE-Id', Buffer.from('e-1')],
      ['Content-Encoding', 'identity'],
      ['content-encoding', Buffer.from('Identity')],
    ];
    expect(decode(bodyWith(), headers).id).toBe('e-1');
    const escaped = [['ce-subject', 'k%C3%B6']] as const;
    expect(decode(bodyWith({ subject: 'kö' }), escaped).subject).toBe('kö');
    const bytes = [['ce-subject', Buffer.from('kö')]] as const;
    expect(decode(bodyWith({ subject: 'kö' }), bytes).subject).toBe('kö');
  });
});

describe('json codec, spellings', () => {
  const camelCase = {
    correlationId: 'c-1',
    causationId: 'c-0',
    userId: 'u-1',
    shelfId: 's-1',
    metadata: { retryCount: 1, environment: 'development', originalTimestamp: null },
  };

  it('reads camel case as well, and reports each name', () => {
    const heard: Observation[] = [];
    const observed = new JsonCodec({
      profile: testProfile,
      observe: (observation) => heard.push(observation),
    });
    const read = observed.decode({ body: bodyWith(camelCase), contentType });
    expect(read).toMatchObject({
      correlationId: 'c-1',
      causationId: 'c-0',
      userId: 'u-1',
      shelfId: 's-1',
      metadata: { retryCount: 1, environment: 'development' },
    });
    expect(read.extensions).toBeUndefined();
    expect(heard).toEqual(
      Object.keys(camelCase).map((attribute) => ({
        kind: 'wire-spelling',
        attribute,
        eventType: 'item.graded',
      })),
    );
  });

  it('reads on when the observer throws', () => {
    const observed = new JsonCodec({
      observe: () => {
        throw new Error('the observer is broken');
      },
    });
    expect(observed.decode({ body: bodyWith({ userId: 'u' }), contentType }).userId).toBe('u');
  });

  it('accepts both spellings when they agree', () => {
    expect(decode(bodyWith({ userId: 'u', userid: 'u' })).userId).toBe('u');
  });

  it.each([
    [{ correlationId: 'a', correlationid: 'b' }, 'correlationid is "a" in one spelling and "b"'],
    [{ userid: 'a', userId: 'b' }, 'userid is "a" in one spelling and "b"'],
    [{ shelfId: 'a', shelfid: 'b' }, 'shelfid is "a" in one spelling and "b"'],
    [{ metadata: { retryCount: 1 }, retrycount: 2 }, 'retrycount is 1 in one spelling and 2'],
  ])('refuses spellings that differ: %j', (said, expected) => {
    const message = refusal(() => decode(bodyWith(said)));
    expect(message).toContain(`ENVELOPE_CONFLICT: item.graded e-1: ${expected}`);
  });
});

describe('json codec, bad messages', () => {
  const cases: [string, string | Uint8Array, string][] = [
    ['no id', bodyWith({ id: undefined }), 'ENVELOPE_INVALID: item.graded: id must be 1 to 255'],
    [
      'an empty id',
      bodyWith({ id: '' }),
      'id must be 1 to 255 characters, with no control, broken or reserved character among them, got ""',
    ],
    ['an id of 1 MB', bodyWith({ id: 'x'.repeat(900_000) }), 'id must be 1 to 255 characters'],
    ['an id with a line break', bodyWith({ id: 'a\nb' }), 'id must be 1 to 255 characters'],
    ['version 0.3', bodyWith({ specversion: '0.3' }), 'specversion must be "1.0", got "0.3"'],
    ['a number as version', bodyWith({ specversion: 1 }), 'specversion must be "1.0", got 1'],
    ['no source', bodyWith({ source: undefined }), 'source must be a URI reference'],
    ['an attribute that is an object', bodyWith({ region: {} }), 'extensions.region must be'],
    ['a hyphen in a name', bodyWith({ 're-gion': 1 }), 'extensions.re-gion must be named with'],
    ['an underscore in a name', bodyWith({ re_gion: 1 }), 'extensions.re_gion must be named with'],
    ['Unicode in a name', bodyWith({ größe: 1 }), 'extensions.größe must be named with'],
    ['a name nobody spells so', bodyWith({ someId: 1 }), 'extensions.someId must be named with'],
    ['an integer of 2^31', bodyWith({ rank: 2 ** 31 }), 'extensions.rank must be at most'],
    ['a fraction', bodyWith({ rank: 0.5 }), 'extensions.rank must be at most'],
    ['an unknown schema version', bodyWith({ version: '1.2' }), 'version must be a whole number'],
    ['a number as time', bodyWith({ time: 1 }), 'time must be an RFC 3339 time'],
    [
      'text data',
      bodyWith({ datacontenttype: 'text/plain', data: 'x' }),
      'MESSAGE_UNPARSEABLE: item.graded e-1: datacontenttype "text/plain" is not JSON',
    ],
    ['U+0000', bodyWithData('"a\\u0000"'), 'MESSAGE_UNPARSEABLE: the body contains U+0000'],
    ['U+0000 in a key', bodyWithData('{"\\u0000":1}'), 'the body contains U+0000'],
    ['half a surrogate pair', bodyWithData('"\\ud800"'), 'half a surrogate pair at character'],
    ['raw half a surrogate pair', bodyWithData('"\ud800"'), 'contains half a surrogate pair'],
    ['bytes that are not UTF-8', Buffer.from(bodyWithData('"\xff"'), 'latin1'), 'is not UTF-8'],
    ['a byte order mark', `\uFEFF${bodyWith()}`, 'starts with a byte order mark'],
    ['a BOM in bytes', Buffer.from(`\uFEFF${bodyWith()}`), 'starts with a byte order mark'],
    ['2^53 + 1', bodyWithData('9007199254740993'), 'the number 9007199254740993, which a double'],
    ['a snowflake id', bodyWithData('{"id":285357410996212032}'), 'to 285357410996212030; send it'],
    ['10^21', bodyWithData('1000000000000000000000'), 'would change to 1e+21'],
    ['-2^53 - 1', bodyWithData('[-9007199254740993]'), 'would change to -9007199254740992'],
    ['1e400', bodyWithData('1e400'), 'the number 1e400, which is beyond a double'],
    ['1e-400', bodyWithData('{"a":1e-400}'), 'a double cannot tell from 0'],
    ['-0', bodyWithData('-0'), 'the number -0, which cannot be kept'],
    ['-0.0', bodyWithData('[1,-0.0]'), 'the number -0.0, which cannot be kept'],
    ['NaN', bodyWithData('NaN'), 'the body is not JSON'],
    ['a key twice', bodyWithData('{"a":1,"b":2,"a":1}'), 'the key "a" twice in one object'],
    ['a key twice, escaped', bodyWithData('{"a":1,"\\u0061":1}'), 'the key "a" twice'],
    ['an attribute twice', bodyWith().replace('{', '{"id":"e-2",'), 'the key "id" twice'],
    ['depth 101', bodyWithData('['.repeat(101) + ']'.repeat(101)), 'nested more than 101 deep'],
    ['depth 1,000', bodyWithData('['.repeat(1_000) + ']'.repeat(1_000)), 'nested more than 101'],
    ['depth 20,000', bodyWithData('['.repeat(2e4) + ']'.repeat(2e4)), 'nested more than 101'],
    ['10^6 numbers', bodyWithData(`[${'1,'.repeat(1e6)}1]`), 'bytes, the limit is 1048576'],
    ['100 MB', bodyWithData(`"${'x'.repeat(1e8)}"`), 'bytes, the limit is 1048576'],
    ['a cut', bodyWith().slice(0, -5), 'MESSAGE_UNPARSEABLE: the body is not JSON'],
    ['nothing', '', 'the body is empty'],
    ['an array', '[]', 'the body is not a JSON object'],
    ['null', 'null', 'the body is not a JSON object'],
    ['__proto__ in data', bodyWithData('{"a":{"__proto__":{}}}'), 'has a key "__proto__"'],
    ['__proto__, escaped', bodyWithData('{"__pr\\u006fto__":{}}'), 'has a key "__proto__"'],
    ['__proto__ as attribute', bodyWith().replace('{', '{"__proto__":1,'), 'key "__proto__"'],
    ['data twice', bodyWith({ data_base64: 'e30=' }), 'has data and data_base64; send one'],
    ['bad base64', bodyWith({ data: undefined, data_base64: 'e30' }), 'data_base64 is not base64'],
    [
      'base64 of other bytes',
      bodyWith({ data: undefined, data_base64: '/w==' }),
      'data_base64 is not UTF-8',
    ],
    [
      'base64 of other text',
      bodyWith({ data: undefined, data_base64: 'eA==' }),
      'data_base64 is not JSON',
    ],
    [
      'a key twice in base64',
      bodyWith({ data: undefined, data_base64: Buffer.from('{"a":1,"a":2}').toString('base64') }),
      'data_base64 has the key "a" twice',
    ],
  ];

  it.each(cases)('refuses %s by name', (_what, body, expected) => {
    expect(refusal(() => decode(body))).toContain(expected);
  });

  it('accepts depth 100', () => {
    const data = '['.repeat(100) + ']'.repeat(100);
    expect(JSON.stringify(decode(bodyWithData(data)).data)).toBe(data);
  });

  it('accepts 10^6 numbers where the limit allows them', () => {
    const patient = new JsonCodec({ maxBytes: 4_000_000 });
    const data = Array.from({ length: 1e6 }, (_, index) => index % 10);
    expect(patient.decode(patient.encode(envelope({ data }))).data).toEqual(data);
  });

  it('counts the limit in bytes, of text and of bytes', () => {
    const body = bodyWithData('"ÅÅÅÅÅÅÅÅÅÅ"');
    const bytes = Buffer.from(body);
    const enough = new JsonCodec({ maxBytes: bytes.length });
    const short = new JsonCodec({ maxBytes: bytes.length - 1 });
    for (const form of [body, bytes]) {
      expect(enough.decode({ body: form, contentType }).id).toBe('e-1');
      const expected = `the body takes ${bytes.length} bytes, the limit is ${bytes.length - 1}`;
      expect(refusal(() => short.decode({ body: form, contentType }))).toContain(expected);
    }
  });

  it.each([
    ['application/json', 'content type "application/json" is not application/cloudevents+json'],
    ['application/cloudevents-batch+json', 'is not application/cloudevents+json'],
    ['', 'content type "" is not application/cloudevents+json'],
    ['application/cloudevents+json; charset=latin1', 'names another charset than UTF-8'],
    ['application/cloudevents+json; charset="utf-16"', 'names another charset than UTF-8'],
  ])('refuses the content type %j', (label, expected) => {
    const message = refusal(() => codec.decode({ body: bodyWith(), contentType: label }));
    expect(message).toContain(expected);
  });

  it('refuses a compressed body unseen', () => {
    for (const value of ['gzip', Buffer.from('gzip')]) {
      const headers: Header[] = [
        ['content-encoding', 'identity'],
        ['Content-Encoding', value],
      ];
      expect(refusal(() => decode('\x1f\x8b', headers))).toBe(
        'MESSAGE_UNPARSEABLE: the body is encoded with "gzip"; send it uncompressed',
      );
    }
  });

  it.each([
    ['ce-id', 'e-2', 'ENVELOPE_CONFLICT: item.graded e-1: header ce-id says "e-2"'],
    ['CE-Region', 'eu', 'header CE-Region says "eu", the body nothing'],
    ['ce_id', '%', 'header ce_id says "%", the body "e-1"'],
    ['ce_id', Buffer.from('e-2'), 'header ce_id says "e-2", the body "e-1"'],
    ['ce_id', Uint8Array.of(255), 'header ce_id says "1 bytes that are no text", the body "e-1"'],
  ] as const)(
    'refuses headers of binary mode that say something else: %s %s',
    (name, value, expected) => {
      const headers: Header[] = [
        ['ce-id', 'e-1'],
        [name, value],
      ];
      expect(refusal(() => decode(bodyWith(), headers))).toContain(expected);
    },
  );

  it('refuses a message without body', () => {
    expect(refusal(() => decode(null as unknown as string))).toContain('there is no body');
  });

  it('shows no control characters and no long text in its messages', () => {
    for (const attack of ['a\n\u001b[31mb\u009b', 'x'.repeat(100_000), '\ud800']) {
      for (const body of [
        bodyWith({ id: attack }),
        bodyWith({ type: attack }),
        bodyWith({ [attack]: attack }),
        bodyWithData(`{${JSON.stringify(attack)}:1,${JSON.stringify(attack)}:2}`),
      ]) {
        const message = refusal(() => decode(body));
        expect(message.length).toBeLessThan(500);
        expect(message).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }
    }
  });
});

describe('json codec, bad events', () => {
  it('refuses a bad attribute before it looks at the data', () => {
    const message = refusal(() => codec.encode(envelope({ subject: '', data: 1n })));
    expect(message).toBe(
      'ENVELOPE_INVALID: item.graded event-1: subject must be 1 to 255 characters, with no control, broken or reserved character among them, got ""',
    );
  });

  it.each([
    ['text', 'x'.repeat(1_100_000)],
    ['text of three bytes to the character', '\u4e00'.repeat(360_000)],
    ['text that grows by escapes', '\u0001'.repeat(200_000)],
    ['many numbers', Array.from({ length: 1e6 }, () => 1)],
    ['what refers to itself many times', doubled(60)],
    ['what refers to long text many times', Array.from({ length: 5_000 }, () => 'x'.repeat(1e6))],
  ])('refuses %s that is too large', (_what, data) => {
    const message = refusal(() => codec.encode(envelope({ data })));
    expect(message).toMatch(/^PAYLOAD_TOO_LARGE: item\.graded event-1: the event takes \d+ bytes/);
    expect(message).toContain('the limit is 1048576');
  });

  it('allows an event that is exactly as large as the limit', () => {
    fc.assert(
      fc.property(keepableData, (data) => {
        const event = envelope({ data });
        const bytes = Buffer.byteLength(codec.encode(event).body as string);
        expect(new JsonCodec({ maxBytes: bytes }).encode(event).id).toBe('event-1');
        const short = new JsonCodec({ maxBytes: bytes - 1 });
        expect(refusal(() => short.encode(event))).toContain('PAYLOAD_TOO_LARGE');
      }),
    );
  });

  it('refuses U+0000 and half surrogate pairs with their path', () => {
    const zero = refusal(() => codec.encode(envelope({ data: { a: ['\u0001', 'b\0'] } })));
    expect(zero).toContain('data.a.1 contains U+0000');
    const half = refusal(() => codec.encode(envelope({ data: { '\udfff': 1 } })));
    expect(half).toContain('data.\\udfff contains half a surrogate pair');
  });

  it('refuses data that answers otherwise when it is read again', () => {
    let reads = 0;
    const data = {
      get grade(): unknown {
        reads += 1;
        return reads === 1 ? 'A' : 1n;
      },
    };
    const message = refusal(() => codec.encode(envelope({ data })));
    expect(message).toContain('PAYLOAD_NOT_JSON: item.graded event-1: data cannot be written');
  });
});

describe('json codec, construction', () => {
  it.each([{ maxBytes: 0 }, { maxBytes: 1.5 }, { maxBytes: Number.NaN }, { maxbytes: 5 }])(
    'refuses %j',
    (options) => {
      expect(() => new JsonCodec(options)).toThrow(TypeError);
    },
  );

  it.each([
    { name: 'shelfId', wire: 'shelfId' },
    { name: 'shelfId', wire: 'id' },
    { name: 'subject', wire: 'shelfid' },
    { name: 'shelfId', wire: 'environment' },
    { name: '__proto__', wire: 'proto' },
    { name: 'floor', wire: 'shelfid' },
    { name: 'shelfId', wire: 'floor' },
    { name: 'shelfId', wire: 'shelfid', type: 'number' as 'integer' },
  ])('refuses a profile with the attribute %j', (names) => {
    const floor = testProfile.attributes[1]!;
    const profile: Profile = { name: 'bad', attributes: [floor, { ...floor, ...names }] };
    expect(() => new JsonCodec({ profile })).toThrow(TypeError);
  });
});

/** Arrays that each hold the next one twice, so that writing them would take 2^`levels` elements. */
function doubled(levels: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < levels; level += 1) value = [value, value];
  return value;
}
