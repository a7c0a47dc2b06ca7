import { describe, expect, it } from 'vitest';

import { GrowingDelay } from './growing-delay.ts';

const take = (delay: GrowingDelay, count: number): number[] =>
  Array.from({ length: count }, () => delay.next());

describe('a growing delay', () => {
  it('doubles from try to try, up to the longest', () => {
    expect(take(new GrowingDelay({ firstMs: 100, maxMs: 500 }), 5)).toEqual([
      100, 200, 400, 500, 500,
    ]);
  });

  it('begins with the first pause again after a success', () => {
    const delay = new GrowingDelay({ firstMs: 100, maxMs: 500 });
    take(delay, 3);
    delay.reset();
    expect(take(delay, 2)).toEqual([100, 200]);
  });

  it('is never longer than the longest, the first time included', () => {
    expect(take(new GrowingDelay({ firstMs: 900, maxMs: 500 }), 2)).toEqual([500, 500]);
  });
});
