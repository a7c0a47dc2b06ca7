import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCents, toMoney } from '../services/fact.ts';
import { grades } from './decide-grade.ts';
import { consignorCentsOf, costCentsOf, decidePriceCents, reserveCentsOf } from './decide-price.ts';

const cents = fc.integer({ min: 0, max: 100_000_000 });

describe('decidePriceCents', () => {
  it('asks less for a worse grade of the same unit', () => {
    const prices = grades.map((grade) =>
      decidePriceCents('s', 'L/1/1', { grade, unitRetailCents: 100_00 }),
    );
    expect(prices).toEqual(prices.toSorted((one, other) => other - one));
    expect(new Set(prices).size).toBe(grades.length);
  });

  it('asks whole cents, at least a dollar, and never more than retail beyond that', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom(...grades),
        cents,
        (itemId, grade, unitRetailCents) => {
          const price = decidePriceCents('s', itemId, { grade, unitRetailCents });
          expect(Number.isInteger(price)).toBe(true);
          expect(price).toBeGreaterThanOrEqual(100);
          expect(price).toBeLessThanOrEqual(Math.max(unitRetailCents, 100));
        },
      ),
    );
  });
});

describe('the shares of a price', () => {
  it('are whole cents and never more than the whole', () => {
    fc.assert(
      fc.property(cents, (price) => {
        for (const share of [consignorCentsOf(price), reserveCentsOf(price), costCentsOf(price)]) {
          expect(Number.isInteger(share) && share >= 0 && share <= price).toBe(true);
        }
      }),
    );
  });

  it('survive the way into an event and back', () => {
    fc.assert(
      fc.property(cents, (price) => {
        expect(toCents(toMoney(price))).toBe(price);
      }),
    );
  });
});
