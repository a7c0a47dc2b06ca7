import { describe, expect, it } from 'vitest';

import { messageOfThrown, readThrown } from './thrown.ts';

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error('do not touch');
    },
    getPrototypeOf() {
      throw new Error('do not ask');
    },
  },
);

describe('what was thrown', () => {
  it.each([
    [new Error('broken'), 'broken'],
    [new RangeError(''), 'RangeError'],
    ['a string', 'a string'],
    ['', 'something that is no error was thrown: ""'],
    [undefined, 'something that is no error was thrown: undefined'],
    [null, 'something that is no error was thrown: null'],
    [{ reason: 7 }, 'something that is no error was thrown: {"reason":7}'],
    [Object.assign(new Error('x'), { message: 42 }), 'Error'],
    [10n, 'something was thrown that cannot be shown'],
    [Symbol('s'), 'something that is no error was thrown: Symbol(s)'],
    [hostile, 'something was thrown that cannot be shown'],
  ])('is put into words: %#', (thrown, words) => {
    expect(messageOfThrown(thrown)).toBe(words);
  });

  it('gives up a property only where there is one to read', () => {
    expect(readThrown(Object.assign(new Error('x'), { code: 'E1' }), 'code')).toBe('E1');
    expect(readThrown(hostile, 'code')).toBeUndefined();
    expect(readThrown('text', 'length')).toBeUndefined();
  });
});
