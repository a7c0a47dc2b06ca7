// Inputs 21 to 32: what JSON and JSONB can and cannot keep.

import { notJson, unparseable, type Doors, type RefusedDraft } from '../support/doors.ts';
import { wireText } from '../support/messages.ts';

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

export const json: Doors = {
  publishing: {
    refused: [
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
        (bench) => Buffer.alloc(bench.hugeBytes, wireText('"x"')),
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
  },
};
