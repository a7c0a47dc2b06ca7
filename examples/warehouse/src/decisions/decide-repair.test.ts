import { describe, expect, it } from 'vitest';
import { decideHarvest, decideRepair } from './decide-repair.ts';

const items = Array.from({ length: 300 }, (_, index) => `L/${index}/1`);

describe('decideRepair', () => {
  it('ends the same in every run', () => {
    expect(decideRepair('s', 'L/1/1', 'D')).toEqual(decideRepair('s', 'L/1/1', 'D'));
  });

  it('mends most worn goods, fewer faulty ones, and nothing that is not sellable', () => {
    const mended = (grade: 'C' | 'D' | 'F') =>
      items.filter((item) => decideRepair('s', item, grade).newGrade).length / items.length;

    expect(mended('C')).toBeGreaterThan(mended('D'));
    expect(mended('D')).toBeGreaterThan(0.4);
    expect(mended('F')).toBe(0);
  });

  it('makes a unit better, never worse', () => {
    for (const item of items) {
      expect(['A', undefined]).toContain(decideRepair('s', item, 'C').newGrade);
      expect(['B', undefined]).toContain(decideRepair('s', item, 'D').newGrade);
    }
  });

  it('uses no parts for what it gives up', () => {
    for (const item of items) {
      const { newGrade, partsUsed, laborMinutes } = decideRepair('s', item, 'D');
      if (!newGrade) expect(partsUsed).toEqual([]);
      expect(laborMinutes).toBeGreaterThan(0);
    }
  });
});

describe('decideHarvest', () => {
  it('finds one to three parts, each with an id of its own', () => {
    const parts = items.map((item) => decideHarvest('s', item));

    expect(new Set(parts.map(({ length }) => length))).toEqual(new Set([1, 2, 3]));
    expect(new Set(parts.flat()).size).toBe(parts.flat().length);
  });
});
