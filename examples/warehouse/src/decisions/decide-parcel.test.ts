import { describe, expect, it } from 'vitest';
import { decideParcel, later } from './decide-parcel.ts';
import { staff } from './staff.ts';

describe('decideParcel', () => {
  it('decides the same for an order in every run', () => {
    const placedAt = '2026-02-03T10:00:00.000Z';
    expect(decideParcel('s', 'O1', placedAt)).toEqual(decideParcel('s', 'O1', placedAt));
  });

  it('delivers two to six days after the order, by the times of the input', () => {
    for (let order = 0; order < 100; order += 1) {
      const { deliveredAt, trackingNumber } = decideParcel(
        's',
        `O${order}`,
        '2026-02-03T10:00:00.000Z',
      );
      const days = (Date.parse(deliveredAt) - Date.parse('2026-02-03T10:00:00.000Z')) / 86_400_000;
      expect([2, 3, 4, 5, 6]).toContain(days);
      expect(trackingNumber).toMatch(/^WB\d{10}$/);
    }
  });
});

describe('later', () => {
  it('counts whole days', () => {
    expect(later('2026-02-27T23:30:00.000Z', 2)).toBe('2026-03-01T23:30:00.000Z');
  });
});

describe('staff', () => {
  it('names one of a crew of four', () => {
    const crew = Array.from({ length: 100 }, (_, index) => staff('s', 'picker', String(index)));
    expect(new Set(crew)).toEqual(new Set(['picker-1', 'picker-2', 'picker-3', 'picker-4']));
  });
});
