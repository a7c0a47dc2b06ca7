import { describe, expect, it } from 'vitest';

import { quoteIdentifier } from './quote-identifier.ts';

describe('quoteIdentifier', () => {
  it('doubles quotes and keeps everything else', () => {
    expect(quoteIdentifier('a"b')).toBe('"a""b"');
    expect(quoteIdentifier('Ünïcode.x')).toBe('"Ünïcode.x"');
  });

  it.each([
    ['nothing', ''],
    ['64 bytes', 'x'.repeat(64)],
    ['32 characters of two bytes each', 'ü'.repeat(32)],
    ['a NUL character', 'a\0b'],
    ['half a surrogate pair', 'a\ud800'],
    ['what may end the body of a function', 'a$$b'],
  ])('refuses %s, which PostgreSQL would cut or not take', (_, name) => {
    expect(() => quoteIdentifier(name)).toThrow(TypeError);
  });
});
