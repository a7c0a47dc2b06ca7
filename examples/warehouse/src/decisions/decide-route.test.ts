import { describe, expect, it } from 'vitest';
import { decideDisposition, decideRoute, materialOf, type Inspected } from './decide-route.ts';

const unit = (given: Partial<Inspected>): Inspected => ({
  grade: 'F',
  category: 'Electronics',
  unitRetailCents: 100_00,
  ...given,
});

describe('decideRoute', () => {
  it.each<[string, Partial<Inspected>, string]>([
    ['sells the best', { grade: 'A', unitRetailCents: 1_00 }, 'sell'],
    ['sells the good', { grade: 'B' }, 'sell'],
    ['refurbishes worn goods that are worth it', { grade: 'C' }, 'refurbish'],
    ['sells cheap worn goods as they are', { grade: 'C', unitRetailCents: 39_99 }, 'sell'],
    ['sells worn goods that cannot be repaired', { grade: 'C', category: 'Apparel' }, 'sell'],
    ['refurbishes faulty goods that are worth it', { grade: 'D' }, 'refurbish'],
    ['recycles cheap faulty goods', { grade: 'D', unitRetailCents: 39_99 }, 'recycle'],
    ['takes apart what is not sellable', { grade: 'F' }, 'salvage'],
    ['recycles what has no parts worth taking', { grade: 'F', unitRetailCents: 59_99 }, 'recycle'],
    ['recycles cloth', { grade: 'F', category: 'Apparel' }, 'recycle'],
    ['discards what touches skin', { grade: 'F', category: 'Beauty' }, 'discard'],
    ['returns a consignor’s goods', { grade: 'F', consignorId: 'ann' }, 'return'],
    ['refurbishes a consignor’s goods first', { grade: 'D', consignorId: 'ann' }, 'refurbish'],
  ])('%s', (_, given, route) => {
    expect(decideRoute(unit(given))).toBe(route);
  });
});

describe('decideDisposition', () => {
  it('knows where to put whatever has a category', () => {
    for (const category of ['Electronics', 'Pet Food', '???', '']) {
      const route = decideDisposition({ category, unitRetailCents: 0 });
      expect(['salvage', 'recycle', 'discard']).toContain(route);
    }
  });
});

describe('materialOf', () => {
  it.each([
    ['Power Tools', 'e-scrap'],
    ['Shoes', 'textiles'],
    ['Toys & Games', 'mixed plastics'],
  ])('sorts %s under %s', (category, material) => {
    expect(materialOf(category)).toBe(material);
  });
});
