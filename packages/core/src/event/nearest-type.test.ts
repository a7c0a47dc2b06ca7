import { describe, expect, it } from 'vitest';

import { nearestType } from './nearest-type.ts';

const known = [
  'item.received',
  'item.graded',
  'order.created',
  'quality.inspection.created',
  'saga.*.started',
];

describe('what may have been meant by a type that nobody has described', () => {
  it.each([
    ['item.recieved', 'item.received'],
    ['item.grade', 'item.graded'],
    ['Item.Graded', 'item.graded'],
    ['item_graded', 'item.graded'],
    ['itm.*', 'item.*'],
    ['orders.*', 'order.*'],
    ['*.recieved', '*.received'],
    ['quality.inspektion.*', 'quality.inspection.*'],
    ['qualty.*', 'quality.*'],
    ['saga.*.startd', 'saga.*.started'],
  ])('is told for %s', (pattern, meant) => {
    expect(nearestType(pattern, known)).toBe(meant);
  });

  it.each(['payment.captured', 'x', 'bid.*', 'item.received.twice.over'])(
    'is not guessed for %s',
    (pattern) => {
      expect(nearestType(pattern, known)).toBeUndefined();
    },
  );

  it('is nothing where nothing is described', () => {
    expect(nearestType('item.graded', [])).toBeUndefined();
  });
});
