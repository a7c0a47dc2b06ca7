import { describe, expect, it } from 'vitest';

import { AllEvents } from '../domains/index.ts';
import { isPastTense } from './best-practices.ts';

describe('isPastTense', () => {
  it.each(['item.received', 'bid.won', 'item.sold', 'listing.price_changed', 'cart.left_behind'])(
    'takes %s',
    (type) => {
      expect(isPastTense(type)).toBe(true);
    },
  );
  it.each(['item.receive', 'order.create', 'item', 'price.update'])('names %s', (type) => {
    expect(isPastTense(type)).toBe(false);
  });
  it('takes every type of the catalogue as it was agreed', () => {
    expect(Object.values(AllEvents).filter((type) => !isPastTense(type))).toEqual([]);
  });
});
