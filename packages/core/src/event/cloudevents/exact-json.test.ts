import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { keepableData } from '../../../test/arbitraries.ts';
import { isEventError } from '../../errors.ts';
import { parseExactly } from './exact-json.ts';

/** A JSON text, and whether parsing it loses something. */
interface Text {
  readonly text: string;
  readonly lossy: boolean;
}

const kept = (text: string): Text => ({ text, lossy: false });
const lossy = (text: string): Text => ({ text, lossy: true });

const space = fc.constantFrom('', '', '', ' ', '\n\t ', '\r');
const digits = fc.integer({ min: 1, max: 99_999 });

const numberText = fc.oneof(
  fc.integer().map((value) => kept(String(value))),
  fc.tuple(digits, fc.nat(6)).map(([value, zeros]) => kept(`${value}e${zeros}`)),
  fc.tuple(digits, fc.nat(8)).map(([value, zeros]) => kept(`${value}${'0'.repeat(zeros)}`)),
  fc.tuple(digits, fc.nat(6)).map(([value, zeros]) => kept(`${value}e-${zeros}`)),
  fc.tuple(fc.nat(4), digits).map(([zeros, value]) => kept(`-0.${'0'.repeat(zeros)}${value}`)),
  fc.constantFrom('0', '0.0', '0e7', '1.50', '1E+2', '9007199254740992', '1e22').map(kept),
  fc.constantFrom('-0', '-0.0', '-0e1', '1e400', '-1E999', '1e-400', '9007199254740993').map(lossy),
);

const stringText = fc.oneof(
  fc.constantFrom('', 'a', 'text', 'é😀', '\u001f').map((text) => kept(JSON.stringify(text))),
  fc.constantFrom(String.raw`"\u0041"`, String.raw`"\/\n"`, String.raw`"\ud83d\ude00"`).map(kept),
  fc.constantFrom(String.raw`"\u0000"`, String.raw`"\ud83d"`, String.raw`"\ude00x"`).map(lossy),
);

/** A key as it is written, and as it is read. */
const keyText = fc.constantFrom<[string, string]>(
  ['""', ''],
  ['"a"', 'a'],
  [String.raw`"\u0061"`, 'a'],
  ['"bb"', 'bb'],
  ['"1"', '1'],
  ['"quote\\"colon:"', 'quote"colon:'],
  ['"__proto__"', '__proto__'],
);

const { value: jsonText } = fc.letrec<{ value: Text }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(numberText, stringText, fc.constantFrom('true', 'false', 'null').map(kept)),
    fc.tuple(space, fc.array(tie('value'), { maxLength: 4 })).map(([gap, values]) => ({
      text: `[${gap}${values.map(({ text }) => text).join(`${gap},`)}]`,
      lossy: values.some((value) => value.lossy),
    })),
    fc
      .tuple(space, fc.array(fc.tuple(keyText, tie('value')), { maxLength: 4 }))
      .map(([gap, members]) => ({
        text: `{${members.map(([[key], { text }]) => `${gap}${key}${gap}:${text}`).join(`,${gap}`)}${gap}}`,
        lossy:
          members.some(([[, key], value]) => key === '__proto__' || value.lossy) ||
          new Set(members.map(([[, key]]) => key)).size < members.length,
      })),
  ),
}));

function isRefused(text: string): boolean {
  try {
    parseExactly(text, 'the text', 100);
    return false;
  } catch (error) {
    if (isEventError(error, 'MESSAGE_UNPARSEABLE')) return true;
    throw error;
  }
}

describe('exact JSON', () => {
  it('refuses a text exactly when parsing would lose something', () => {
    fc.assert(
      fc.property(jsonText, ({ text, lossy: isLossy }) => {
        expect(isRefused(text)).toBe(isLossy);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes everything that JSON.stringify writes, with and without white space', () => {
    fc.assert(
      fc.property(keepableData, fc.constantFrom(0, 2), (data, indent) => {
        const text = JSON.stringify(data, null, indent);
        expect(parseExactly(text, 'the text', 100)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a":1,"a":1e9,"b":1000000}', 'an exponent that makes up for the member'],
    ['{"a":10000,"":0,"":1e4}', 'the shortest member'],
    ['[-0,1e3]', 'a sign that an exponent makes up for'],
    ['[1000000000,1e9,"\\u0000"]', 'an escape beside large round numbers'],
  ])('is not deceived by a text as long as its compact form: %s', (text, _why) => {
    expect(isRefused(text)).toBe(true);
  });

  it('counts depth over arrays and objects alike', () => {
    expect(parseExactly('[{"a":[1]}]', 'the text', 3)).toEqual([{ a: [1] }]);
    expect(() => parseExactly('[{"a":[1]}]', 'the text', 2)).toThrow(
      'MESSAGE_UNPARSEABLE: the text is nested more than 2 deep',
    );
  });
});
