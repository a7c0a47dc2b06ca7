// Inputs 15 to 32: what JSON, UTF-8 and JSONB can and cannot keep.

import { expect, it } from 'vitest';

import {
  expectRefusal,
  refusalOf,
  type DeadMessage,
  type Doors,
  type RefusedDraft,
} from '../support/doors.ts';
import { messageOf, wireEvent, wireText } from '../support/messages.ts';

const half = '\ud83d';
const nonCharacters = '\ufdd0 \ufffe \uffff \u{1fffe}';
const beyondExact = 2 ** 53 + 2;

/** Lays `depth` arrays in each other. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level += 1) value = [value];
  return value;
}

function nestedText(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

function circular(): object {
  const pallet: Record<string, unknown> = { items: [{ itemId: 'item-1' }] };
  (pallet['items'] as object[]).push({ on: pallet });
  return pallet;
}

/** Data that JSON would change or drop, refused with the path to it. */
function notJson(name: string, data: () => unknown, path: string, says: RegExp): RefusedDraft {
  return {
    name,
    draft: () => ({ data: data() }),
    code: 'PAYLOAD_NOT_JSON',
    details: { eventType: 'item.received', path },
    says,
  };
}

function unparseable(name: string, body: DeadMessage['body'], says: RegExp): DeadMessage {
  return { name, body, code: 'MESSAGE_UNPARSEABLE', says };
}

const inTheWay = Buffer.from([0x22, 0xc3, 0x28, 0xff, 0x22]);
const withBadBytes = (): Uint8Array => {
  const [head, tail] = wireText('"HERE"').split('"HERE"');
  return Buffer.concat([Buffer.from(head!), inTheWay, Buffer.from(tail!)]);
};
const withByteOrderMark = (): Uint8Array =>
  Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(wireText('{}'))]);

export const json: Doors = {
  publishing: {
    refused: [
      notJson(
        '15 refuses U+0000 in a string',
        () => ({ note: 'a\0b' }),
        'note',
        /contains U\+0000/,
      ),
      notJson('16 refuses U+0000 in a key', () => ({ 'a\0b': 1 }), 'a\\u0000b', /contains U\+0000/),
      notJson(
        '17 refuses half a surrogate pair',
        () => ({ note: half }),
        'note',
        /half a surrogate/,
      ),
      notJson(
        '17 refuses half a surrogate pair in a key',
        () => ({ [half]: 1 }),
        '\\ud83d',
        /half a/,
      ),
      {
        name: '18 refuses noncharacters in an attribute',
        draft: () => ({ subject: 'item\ufffe' }),
        code: 'ENVELOPE_INVALID',
        details: { attribute: 'subject' },
        says: /subject must be 1 to 255 characters/,
      },
      notJson(
        '19 refuses bytes',
        () => ({ scan: Buffer.from([0xff]) }),
        'scan',
        /holds bytes; write/,
      ),
      {
        name: '20 refuses a byte order mark at the beginning of an attribute',
        draft: () => ({ subject: '\ufeffitem-1' }),
        code: 'ENVELOPE_INVALID',
        details: { attribute: 'subject' },
        says: /no control, broken or reserved character/,
      },
      notJson(
        '22 refuses 1e400',
        () => ({ weight: Number('1e400') }),
        'weight',
        /is Infinity, which JSON/,
      ),
      notJson('23 refuses -0', () => ({ weight: -0 }), 'weight', /is -0, which JSON writes as 0/),
      notJson('24 refuses NaN', () => ({ weight: Number.NaN }), 'weight', /is NaN, which JSON/),
      notJson(
        '24 refuses -Infinity',
        () => ({ weights: [1, -Infinity] }),
        'weights.1',
        /is -Infinity, which JSON writes/,
      ),
      notJson(
        '25 refuses a BigInt',
        () => ({ count: 7n }),
        'count',
        /is a BigInt; write it as a str/,
      ),
      notJson('26 refuses a Date', () => ({ at: new Date(0) }), 'at', /is a Date; write its toISO/),
      notJson(
        '26 refuses a Map',
        () => ({ by: new Map() }),
        'by',
        /is a Map; write Object\.fromEn/,
      ),
      notJson(
        '26 refuses a function',
        () => ({ run: () => 1 }),
        'run',
        /is a function, which JSON/,
      ),
      notJson(
        '26 refuses a symbol',
        () => ({ tag: Symbol('x') }),
        'tag',
        /is a symbol, which JSON/,
      ),
      notJson(
        '26 refuses undefined in a list',
        () => [1, undefined],
        '1',
        /is undefined, which JSON/,
      ),
      notJson(
        '26 refuses no data at all',
        () => undefined,
        '',
        /data is undefined, which JSON drops/,
      ),
      notJson(
        '27 refuses a circular object',
        circular,
        'items.1.on',
        /an object that it is part of/,
      ),
      {
        name: '28 refuses one attribute under two names',
        draft: () => ({ correlationId: 'c-1', extensions: { correlationid: 'c-2' } }),
        code: 'ENVELOPE_INVALID',
        details: { attribute: 'extensions.correlationid' },
        says: /rename it/,
      },
      ...[101, 1_000, 20_000].map((depth): RefusedDraft => ({
        name: `29 refuses data nested ${depth} deep`,
        draft: () => ({ data: nested(depth) }),
        code: 'PAYLOAD_NOT_JSON',
        says: /is nested more than 100 deep; flatten it/,
      })),
      {
        name: '30 refuses a list of 1,000,000 numbers',
        draft: () => ({ data: Array.from({ length: 1_000_000 }, () => 1) }),
        code: 'PAYLOAD_TOO_LARGE',
        details: { eventType: 'item.received', maxBytes: 1_048_576 },
        says: /the limit is 1048576; store the bulk elsewhere/,
      },
      {
        name: '31 refuses 100 MB of text',
        draft: () => ({ data: { photo: 'x'.repeat(100_000_000) } }),
        code: 'PAYLOAD_TOO_LARGE',
        details: { eventType: 'item.received', maxBytes: 1_048_576 },
        says: /takes \d+ bytes or more, the limit is 1048576/,
      },
    ],
    kept: [
      { name: '18 keeps noncharacters in data', draft: () => ({ data: { note: nonCharacters } }) },
      {
        name: '20 keeps byte order marks in data',
        draft: () => ({ data: { '\ufeffnote': '\ufeffx\ufeff' } }),
      },
      {
        name: '21 keeps whole numbers beyond 2^53 that a double holds',
        draft: () => ({
          data: { numbers: [beyondExact, -beyondExact, 1e21, 1.7976931348623157e308] },
        }),
      },
      {
        name: '22 keeps the smallest number there is',
        draft: () => ({ data: { numbers: [5e-324, 0.1 + 0.2] } }),
      },
      {
        name: '26 leaves out a property that is undefined',
        draft: () => ({ data: { itemId: 'item-1', sku: undefined } }),
        as: () => ({ data: { itemId: 'item-1' } }),
      },
      { name: '29 keeps data nested 100 deep', draft: () => ({ data: { boxes: nested(99) } }) },
      {
        name: '32 keeps a text that is broken JSON',
        draft: () => ({ data: { raw: '{"grade": "A' } }),
      },
    ],
  },

  arriving: {
    dead: [
      unparseable(
        '15 refuses U+0000 in a string',
        () => wireText('"a\\u0000b"'),
        /contains U\+0000 at/,
      ),
      unparseable(
        '15 refuses a NUL byte in a string',
        () => wireText('"a\0b"'),
        /is not JSON from/,
      ),
      unparseable(
        '16 refuses U+0000 in a key',
        () => wireText('{"a\\u0000b":1}'),
        /contains U\+0000/,
      ),
      unparseable(
        '17 refuses half a surrogate pair',
        () => wireText('"\\ud83d"'),
        /half a surrogate/,
      ),
      unparseable('19 refuses bytes that are not UTF-8', withBadBytes, /the body is not UTF-8/),
      unparseable(
        '20 refuses a byte order mark',
        withByteOrderMark,
        /starts with a byte order mark/,
      ),
      unparseable(
        '20 refuses a byte order mark in text',
        () => `\ufeff${wireText('{}')}`,
        /byte order mark; send JSON without it/,
      ),
      unparseable(
        '21 refuses 2^53 + 1',
        () => wireText('{"count":9007199254740993}'),
        /9007199254740993, which a double would change to 9007199254740992; send it as a string/,
      ),
      unparseable(
        '22 refuses 1e400',
        () => wireText('1e400'),
        /number 1e400, which is beyond a double/,
      ),
      unparseable(
        '22 refuses 1e-400',
        () => wireText('1e-400'),
        /which a double cannot tell from 0/,
      ),
      unparseable(
        '23 refuses -0',
        () => wireText('[-0]'),
        /the number -0, which cannot be kept; write 0/,
      ),
      unparseable('24 refuses NaN', () => wireText('NaN'), /is not JSON/),
      unparseable('24 refuses Infinity', () => wireText('{"weight":-Infinity}'), /is not JSON/),
      unparseable('25 refuses the spelling of a BigInt', () => wireText('7n'), /is not JSON/),
      unparseable('26 refuses undefined', () => wireText('undefined'), /is not JSON/),
      unparseable(
        '28 refuses a key that comes twice',
        () => wireText('{"a":1,"a":1}'),
        /"a" twice/,
      ),
      unparseable(
        '28 refuses an attribute that comes twice',
        () => wireText('{}').replace('{', '{"id":"other",'),
        /has the key "id" twice in one object/,
      ),
      ...[1_000, 20_000].map((depth) =>
        unparseable(
          `29 refuses data nested ${depth} deep`,
          () => wireText(nestedText(depth)),
          /is nested more than 101 deep/,
        ),
      ),
      unparseable(
        '30 refuses a list of 1,000,000 numbers',
        () => wireText(`[${'1,'.repeat(999_999)}1]`),
        /the body takes \d+ bytes, the limit is 1048576/,
      ),
      unparseable(
        '31 refuses a body that is far too large',
        // PGlite takes a minute for 100 MB.
        (bench) => Buffer.alloc(bench.stores ? 4_000_000 : 100_000_000, wireText('"x"')),
        /the body takes \d+000000 bytes, the limit is 1048576/,
      ),
      unparseable(
        '32 refuses JSON that was cut off',
        () => wireText('{}').slice(0, -9),
        /is not JSON/,
      ),
      unparseable('32 refuses an empty body', () => '', /the body is empty/),
      unparseable('32 refuses what is no object', () => '[]', /the body is not a JSON object/),
    ],
    read: [
      {
        name: '18 reads noncharacters in data',
        body: () => JSON.stringify(wireEvent({ data: nonCharacters })),
        as: { data: nonCharacters },
      },
      {
        name: '20 reads a byte order mark within a text',
        body: () => JSON.stringify(wireEvent({ data: '\ufeffx' })),
        as: { data: '\ufeffx' },
      },
      {
        name: '21 reads whole numbers beyond 2^53 that a double holds',
        body: () => wireText(`[${beyondExact},1e21]`),
        as: { data: [beyondExact, 1e21] },
      },
      {
        name: '27 takes a reference in JSON for what it is, an object like any other',
        body: () => wireText('{"on":{"$ref":"#"}}'),
        as: { data: { on: { $ref: '#' } } },
      },
      {
        name: '29 reads data nested 100 deep',
        body: () => wireText(nestedText(100)),
        as: { data: nested(100) },
      },
    ],
    more: (bench) => {
      it.each(['body', 'id', 'key', 'type'])(
        '17 refuses to carry half a surrogate pair in the %s of a message, and carries none of its neighbours',
        async (part) => {
          const before = await bench().counts();
          const bad = { ...messageOf(wireText('{}')), [part]: `"${half}"` };
          const refusal = await refusalOf(() => bench().arrive(messageOf(wireText('{}')), bad));
          expectRefusal(refusal, {
            code: 'MESSAGE_UNPARSEABLE',
            says: new RegExp(`its ${part} holds half a surrogate pair, which UTF-8 cannot carry`),
          });
          expect(await bench().counts()).toEqual(before);
        },
      );

      it('15 carries a label with U+0000 as it is, or refuses it by name', async () => {
        const before = await bench().counts();
        const message = messageOf(wireText('{}'), { key: 'a\0b' });
        const outcome = await bench()
          .arrive(message)
          .catch((error: unknown) => error);
        const refused = { code: 'STORE_REJECTED', details: { sqlState: '22021' } };
        expect([outcome]).toMatchObject([bench().stores ? refused : undefined]);
        const { carried } = await bench().counts();
        expect(carried - before.carried).toBe(bench().stores ? 0 : 1);
        await bench().flows('item-1');
      });
    },
  },
};
