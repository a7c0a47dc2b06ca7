import { describe, expect, it } from 'vitest';

import { registration } from '../../test/invocation.ts';
import { nameHandler } from './handler-name.ts';

const alone = (patterns: string[]) => nameHandler(patterns, {}, []).name;

describe('the name of a handler', () => {
  it('is made from its patterns, whatever their order and however often each is given', () => {
    expect(alone(['item.graded'])).toBe('item.graded');
    expect(alone(['order.*', 'item.graded'])).toBe('item.graded,order.*');
    expect(alone(['item.graded', 'order.*', 'item.graded'])).toBe('item.graded,order.*');
  });

  it('is another one for other patterns, also where there are too many to name', () => {
    const many = Array.from({ length: 40 }, (_, index) => `a-rather-long-type.number-${index}`);
    const names = [many, many.slice(0, -1), [...many.slice(0, -1), 'z.z']].map(alone);
    expect(new Set(names).size).toBe(3);
    expect(alone(many.toReversed())).toBe(names[0]);
    for (const name of names) expect(name.length).toBe(240);
  });

  it('that others have, or had, is not given again', () => {
    const others = [
      registration({ name: 'item.*' }),
      registration({ name: 'grade', formerly: ['item.*#2'] }),
    ];
    expect(nameHandler(['item.*'], {}, others)).toEqual({
      name: 'item.*#3',
      formerly: [],
      derived: true,
      clashesWith: 'item.*',
    });
    expect(nameHandler(['order.*'], {}, others).clashesWith).toBeUndefined();
  });

  it('may be chosen, with those that it had before', () => {
    const asked = { name: 'grade', formerly: ['item.graded', 'grading', 'grading'] };
    expect(nameHandler(['item.*'], asked, [])).toEqual({
      name: 'grade',
      formerly: ['item.graded', 'grading'],
      derived: false,
      clashesWith: undefined,
    });
    expect(nameHandler(['a.b', 'item.*'], { formerly: ['item.*'] }, [])).toMatchObject({
      name: 'a.b,item.*',
      formerly: ['item.*'],
      derived: true,
    });
  });

  const others = [registration({ name: 'grade', formerly: ['grading'] })];
  it.each([
    ['the name of another one', { name: 'grade' }, /handler name grade is taken/],
    ['a former name of another one', { name: 'grading' }, /is a former name of handler grade/],
    ['nothing', { name: '' }, /a handler name must be/],
    ['former names that another one has', { formerly: ['grade'] }, /former name grade .* is taken/],
    [
      'former names that another one had',
      { formerly: ['grading'] },
      /former name of handler grade/,
    ],
    ['its own name for a former one', { name: 'a', formerly: ['a'] }, /is called that now/],
    ['the name of its patterns for a former one', { formerly: ['a.b'] }, /is called that now/],
    ['former names that are none', { formerly: ['\u0000'] }, /a former name of handler a\.b must/],
    ['one former name without a list', { formerly: 'a' as never }, /must be a list of names/],
  ])('is refused where it is %s', (_, asked, message) => {
    expect(() => nameHandler(['a.b'], asked, others)).toThrow(TypeError);
    expect(() => nameHandler(['a.b'], asked, others)).toThrow(message);
  });
});
