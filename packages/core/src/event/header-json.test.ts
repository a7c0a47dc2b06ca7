import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { headersFromJson, headersToJson, textFromJson, textToJson } from './header-json.ts';
import type { Header } from './message.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\0', 'a\0b', '__proto__', '0', '{"base64":""}'),
);
const headers = fc.array(fc.tuple(text, fc.oneof(text, fc.uint8Array({ maxLength: 8 }))));

/** What is written, and parsed again by whoever reads it. */
function parsed(given: readonly Header[]): unknown {
  return JSON.parse(JSON.stringify(headersToJson(given)));
}

describe('headers as JSON', () => {
  it('come back in order, with their repetitions, text as text and bytes as bytes', () => {
    fc.assert(
      fc.property(headers, (given) => {
        expect(headersFromJson(parsed(given))).toEqual(given);
      }),
    );
  });

  it('hold nothing that JSONB refuses', () => {
    fc.assert(
      fc.property(headers, (given) => {
        expect(JSON.stringify(headersToJson(given))).not.toMatch(
          /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/,
        );
      }),
    );
  });

  it('can be read by people where they are text, and say what they are where not', () => {
    const given: Header[] = [
      ['shelf', 'ü'],
      ['sig', Buffer.of(0, 255)],
      ['note', 'a\0'],
    ];
    expect(parsed(given)).toEqual([
      ['shelf', 'ü'],
      ['sig', { base64: 'AP8=' }],
      ['note', { base64: 'YQA=', text: true }],
    ]);
  });

  it('are read from an object with one value per name, too', () => {
    const json: unknown = JSON.parse('{"note":"n","shelf":7,"__proto__":"own","of":{"a":[1]}}');
    expect(headersFromJson(json)).toEqual([
      ['note', 'n'],
      ['shelf', '7'],
      ['__proto__', 'own'],
      ['of', '{"a":[1]}'],
    ]);
    expect(headersFromJson({})).toEqual([]);
  });

  it.each([
    7,
    null,
    'text',
    [7],
    [['name']],
    [['name', 7]],
    [['name', 'value', 'more']],
    [['name', { base64: 7 }]],
    [[{ base64: 'AA==' }, 'value']],
    [
      ['good', 'value'],
      ['bad', null],
    ],
  ])('are none of ours: %j', (json) => {
    expect(headersFromJson(json)).toBeUndefined();
  });
});

describe('text as JSON', () => {
  it('comes back exactly', () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(textFromJson(JSON.parse(JSON.stringify(textToJson(given))))).toBe(given);
      }),
    );
  });

  it('is not what was bytes', () => {
    expect(textFromJson({ base64: 'AA==' })).toBeUndefined();
  });
});
