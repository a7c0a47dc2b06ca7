import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { eventType as validType } from '../../test/arbitraries.ts';
import {
  compareSpecificity,
  compilePattern,
  compilePatterns,
  isWildcard,
  patternsMeet,
} from './patterns.ts';

/** The rules once more, as a regular expression. */
function expressionOf(pattern: string): RegExp {
  if (pattern === '*') return /^.*$/;
  const open = pattern.endsWith('.*');
  const fixed = (open ? pattern.slice(0, -2) : pattern)
    .split('.')
    .map((segment) => (segment === '*' ? '[^.]+' : segment.replaceAll('-', '\\-')));
  return new RegExp(`^${fixed.join('\\.')}${open ? '(\\.[^.]+)+' : ''}$`);
}

// Few letters, so that patterns and types often meet.
const word = fc.constantFrom('a', 'b', 'item', 'a-b', 'a_b', 'A');
const type = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constant('*')), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('.'));

describe('patterns', () => {
  it('match what a regular expression of the same rules matches', () => {
    fc.assert(
      fc.property(pattern, type, (asked, eventType) => {
        expect(compilePattern(asked)(eventType)).toBe(expressionOf(asked).test(eventType));
      }),
      { numRuns: 2_000 },
    );
  });

  it('match every type that they are made from by widening', () => {
    const widened = validType.chain((exact) => {
      const segments = exact.split('.');
      return fc
        .tuple(fc.subarray([...segments.keys()]), fc.integer({ min: 1, max: segments.length }))
        .map(([starred, cut]) => ({
          exact,
          starred: segments.map((part, index) => (starred.includes(index) ? '*' : part)).join('.'),
          cut: cut < segments.length ? `${segments.slice(0, cut).join('.')}.*` : exact,
        }));
    });
    fc.assert(
      fc.property(widened, ({ exact, starred, cut }) => {
        expect(compilePattern(exact)(exact)).toBe(true);
        expect(compilePattern(starred)(exact)).toBe(true);
        expect(compilePattern(cut)(exact)).toBe(true);
      }),
    );
  });

  it.each([
    ['*', 'item', true],
    ['*', 'quality.inspection.created', true],
    ['quality.*', 'quality.inspection.created', true],
    ['quality.*', 'quality.created', true],
    ['quality.*', 'quality', false],
    ['quality.*', 'qualityx.created', false],
    ['*.graded', 'item.graded', true],
    ['*.graded', 'item.box.graded', false],
    ['item.*.graded', 'item.box.graded', true],
    ['item.*.graded', 'item.graded', false],
    ['item.*.*', 'item.box.small.red', true],
    ['item.*.*', 'item.box', false],
    ['item.graded', 'item-graded', false],
    ['item.graded', 'ITEM.GRADED', false],
    ['*', '', true],
  ])('%s and %s: %s', (asked, eventType, expected) => {
    expect(compilePattern(asked)(eventType)).toBe(expected);
  });

  it('take an asterisk in a type for no wildcard', () => {
    expect(compilePattern('item.graded')('item.*')).toBe(false);
    expect(compilePattern('item.*')('item.*')).toBe(true);
    expect(compilePatterns(['a.b', 'item.graded'])('item.*')).toBe(false);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    'it*em',
    '**',
    'a.**',
    'ä',
    '(a+)+$',
    'a|b',
    '[a]',
    'a\n',
  ])('refuses %j', (bad) => {
    expect(() => compilePattern(bad)).toThrow(TypeError);
  });

  it('refuses a pattern of 10,000 characters with a short message', () => {
    expect(compilePattern('a'.repeat(255))('a'.repeat(255))).toBe(true);
    for (const long of ['a'.repeat(256), '*.'.repeat(5_000) + '*', 'a.'.repeat(5_000) + 'a']) {
      expect(() => compilePattern(long)).toThrow(/^event type pattern .{0,300}$/);
    }
  });

  it('refuses what is no text', () => {
    expect(() => compilePattern(undefined as unknown as string)).toThrow(TypeError);
    expect(() => compilePattern(['item.*'] as unknown as string)).toThrow(TypeError);
  });

  it('match together when any of them does', () => {
    fc.assert(
      fc.property(fc.array(pattern), type, (asked, eventType) => {
        const one = asked.some((each) => compilePattern(each)(eventType));
        expect(compilePatterns(asked)(eventType)).toBe(one);
      }),
    );
  });

  it('are ordered by what they are about, wherever a type matches both', () => {
    const ordered = ['a.b.c', 'a.*.c', '*.b.c', 'a.b.*', 'a.*.*', '*.b.*', 'a.*', '*.*.*', '*'];
    expect(ordered.toReversed().sort(compareSpecificity)).toEqual([
      'a.b.c',
      'a.*.c',
      '*.b.c',
      'a.b.*',
      'a.*.*',
      '*.b.*',
      'a.*',
      '*.*.*',
      '*',
    ]);
    fc.assert(
      fc.property(pattern, pattern, type, (one, other, eventType) => {
        const both = [one, other].every((each) => compilePattern(each)(eventType));
        fc.pre(both && one !== other);
        const order = Math.sign(compareSpecificity(one, other));
        expect(order).not.toBe(0);
        expect(Math.sign(compareSpecificity(other, one))).toBe(-order);
      }),
    );
  });

  it('come after every pattern that is about a part of their types', () => {
    const widened = fc
      .tuple(pattern, fc.nat(), fc.boolean())
      .map(([narrow, at, cut]) => {
        const segments = narrow.split('.');
        const index = at % segments.length;
        const wide = cut
          ? [...segments.slice(0, index), '*']
          : segments.map((part, each) => (each === index ? '*' : part));
        return [narrow, wide.join('.')] as const;
      })
      .filter(([narrow, wide]) => narrow !== wide);
    fc.assert(
      fc.property(widened, ([narrow, wide]) => {
        expect(compareSpecificity(narrow, wide)).toBeLessThan(0);
      }),
    );
  });

  it('are wildcards when a segment is an asterisk', () => {
    expect(['*', 'a.*', '*.a', 'a.*.b'].map(isWildcard)).toEqual([true, true, true, true]);
    expect(['a', 'a.b'].map(isWildcard)).toEqual([false, false]);
  });
});

describe('two patterns', () => {
  const few = fc
    .array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 3 })
    .map((segments) => segments.join('.'));
  const letters = ['a', 'b', 'c'];
  const longer = (types: string[]): string[] =>
    types.flatMap((each) => letters.map((letter) => `${each}.${letter}`));
  const two = longer(letters);
  const types = [...letters, ...two, ...longer(two), ...longer(longer(two))];

  it('meet where there is a type that both ask for', () => {
    fc.assert(
      fc.property(few, few, (a, b) => {
        const [asksFor, otherAsksFor] = [compilePattern(a), compilePattern(b)];
        const isMet = types.some((each) => asksFor(each) && otherAsksFor(each));
        expect([a, b, patternsMeet(a, b)]).toEqual([a, b, isMet]);
      }),
    );
  });
});
