import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemIdOf, unitsOf, type ManifestLine } from './unit.ts';

const line = (lot: string, item: string, quantity: number) =>
  ({ lot, item, quantity }) as ManifestLine;

describe('unitsOf', () => {
  it('makes as many units as a line says, each with an id of its own', () => {
    const units = unitsOf([line('L1', '1', 2), line('L1', '2', 1)]);

    expect(units.map(({ itemId }) => itemId)).toEqual(['L1/1/1', 'L1/1/2', 'L1/2/1']);
  });

  it('gives every unit nine digits of its own, the same ones each time', () => {
    const lines = Array.from({ length: 60 }, (_, index) => line('L', String(index), 1_000));

    const qlids = unitsOf(lines).map(({ qlid }) => qlid);

    expect(new Set(qlids).size).toBe(60_000);
    expect(qlids.every((qlid) => /^\d{9}$/.test(qlid))).toBe(true);
    expect(unitsOf(lines).map(({ qlid }) => qlid)).toEqual(qlids);
  });

  it('leaves the number of a unit alone when lines come or go elsewhere', () => {
    const [alone] = unitsOf([line('L1', '1', 1)]);
    const among = unitsOf([line('L0', '9', 3), line('L1', '1', 1)]).at(-1);

    expect(among?.qlid).toBe(alone?.qlid);
  });
});

describe('itemIdOf', () => {
  it('keeps different units apart, whatever their lots and items are called', () => {
    const name = fc.string({ unit: fc.constantFrom('a', '/', '%', '2', 'F') });
    const unit = fc.tuple(name, name, fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(unit, unit, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(itemIdOf(...one) === itemIdOf(...other)).toBe(isSame);
      }),
    );
  });
});
