// Inputs 15 to 20: what UTF-8 and a column of text can and cannot keep.

import { expect, it } from 'vitest';

import { expectRefusal, notJson, refusalOf, unparseable, type Doors } from '../support/doors.ts';
import { messageOf, wireEvent, wireText } from '../support/messages.ts';

const half = '\ud83d';
const nonCharacters = '\ufdd0 \ufffe \uffff \u{1fffe}';
const inTheWay = Buffer.from([0x22, 0xc3, 0x28, 0xff, 0x22]);
const withBadBytes = (): Uint8Array => {
  const [head, tail] = wireText('"HERE"').split('"HERE"');
  return Buffer.concat([Buffer.from(head!), inTheWay, Buffer.from(tail!)]);
};
const withByteOrderMark = (): Uint8Array =>
  Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(wireText('{}'))]);

export const text: Doors = {
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
    ],
    kept: [
      { name: '18 keeps noncharacters in data', draft: () => ({ data: { note: nonCharacters } }) },
      {
        name: '20 keeps byte order marks in data',
        draft: () => ({ data: { '\ufeffnote': '\ufeffx\ufeff' } }),
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
    ],
    more: (bench) => {
      it.each(['body', 'id', 'key', 'type'])(
        '17 refuses to carry half a surrogate pair in the %s of a message, and carries its neighbour',
        async (part) => {
          const before = await bench().counts();
          const bad = { ...messageOf(wireText('{}')), [part]: `"${half}"` };
          const refusal = await refusalOf(() => bench().arrive(messageOf(wireText('{}')), bad));
          expectRefusal(refusal, {
            code: 'MESSAGE_UNPARSEABLE',
            says: new RegExp(`its ${part} holds half a surrogate pair, which UTF-8 cannot carry`),
          });
          const { carried } = await bench().counts();
          expect(carried - before.carried).toBe(1);
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
