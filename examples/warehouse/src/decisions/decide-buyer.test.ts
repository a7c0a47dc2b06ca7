import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideBuyer, decideWinner } from './decide-buyer.ts';

const order = (reference: string, placedAt: string, limitCents: number | null = null) => ({
  reference,
  placedAt,
  limitCents,
});
const bid = (reference: string, placedAt: string, amountCents: number) => ({
  reference,
  placedAt,
  amountCents,
});

describe('decideBuyer', () => {
  it('sells to who ordered first and pays the price', () => {
    const orders = [order('c', '3'), order('b', '2', 500), order('a', '1', 499)];
    expect(decideBuyer(orders, 500)?.reference).toBe('b');
  });

  it('sells to nobody when nobody pays the price', () => {
    expect(decideBuyer([order('a', '1', 499)], 500)).toBeUndefined();
    expect(decideBuyer([], 500)).toBeUndefined();
  });
});

describe('decideWinner', () => {
  it('takes the highest bid, and of equal ones the earliest', () => {
    const bids = [bid('c', '1', 700), bid('b', '3', 900), bid('a', '2', 900)];
    expect(decideWinner(bids, 600)?.reference).toBe('a');
  });

  it('sells nothing below the reserve', () => {
    expect(decideWinner([bid('a', '1', 599)], 600)).toBeUndefined();
    expect(decideWinner([bid('a', '1', 600)], 600)?.reference).toBe('a');
  });
});

describe('who gets a contested unit', () => {
  const small = fc.integer({ min: 1, max: 3 });
  const wishes = fc.uniqueArray(
    fc.record({ reference: fc.string(), placedAt: small.map(String), cents: small }),
    {
      selector: ({ reference }) => reference,
    },
  );

  it('never depends on the order in which the wishes are looked at', () => {
    fc.assert(
      fc.property(wishes, small, (given, least) => {
        const orders = given.map(({ cents, ...wish }) => ({ ...wish, limitCents: cents }));
        const bids = given.map(({ cents, ...wish }) => ({ ...wish, amountCents: cents }));
        expect(decideBuyer(orders.toReversed(), least)).toEqual(decideBuyer(orders, least));
        expect(decideWinner(bids.toReversed(), least)).toEqual(decideWinner(bids, least));
      }),
    );
  });
});
