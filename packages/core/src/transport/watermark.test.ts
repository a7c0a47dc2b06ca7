import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Watermark } from './watermark.ts';

/** Gaps between the offsets, and the order in which they finish. */
const run = fc
  .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 300 })
  .chain((gaps) =>
    fc.record({
      gaps: fc.constant(gaps),
      order: fc.shuffledSubarray(
        gaps.map((_, index) => index),
        { minLength: 0 },
      ),
    }),
  );

describe('the watermark', () => {
  it('is what a naive model says: one above the last of the finished front', () => {
    fc.assert(
      fc.property(run, fc.bigInt({ min: 0n, max: 1_000n }), ({ gaps, order }, first) => {
        const watermark = new Watermark(first);
        const offsets = gaps.reduce<bigint[]>(
          (all, gap) => [...all, (all.at(-1) ?? first - 1n) + BigInt(gap)],
          [],
        );
        for (const offset of offsets) watermark.begin(offset);
        const finished = new Set<bigint>();
        for (const index of order) {
          const before = watermark.position;
          const moved = watermark.finish(offsets[index]!);
          finished.add(offsets[index]!);
          const front = offsets.findIndex((offset) => !finished.has(offset));
          const done = front < 0 ? offsets : offsets.slice(0, front);
          expect(watermark.position).toBe(done.length > 0 ? done.at(-1)! + 1n : first);
          expect(watermark.pending).toBe(offsets.length - done.length);
          expect(watermark.passed).toBe(done.length);
          expect(watermark.finishedAhead).toBe(finished.size - done.length);
          expect(moved).toBe(watermark.position > before);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('holds over a long run that begins and finishes at the same time', () => {
    const watermark = new Watermark(0n);
    for (let offset = 0n; offset < 5_000n; offset += 1n) {
      watermark.begin(offset);
      if (offset < 10n) continue;
      expect(watermark.pending).toBe(11);
      watermark.finish(offset - 10n);
      expect(watermark.pending).toBe(10);
    }
    expect(watermark.position).toBe(4_990n);
    expect(watermark.pending).toBe(10);
  });

  it('changes nothing for an offset that is unknown or finished already', () => {
    const watermark = new Watermark(5n);
    watermark.begin(5n);
    expect(watermark.finish(4n)).toBe(false);
    expect(watermark.finish(5n)).toBe(true);
    expect(watermark.finish(5n)).toBe(false);
    expect(watermark.position).toBe(6n);
  });

  it('refuses an offset that is not above those before', () => {
    const watermark = new Watermark(5n);
    expect(() => watermark.begin(4n)).toThrow(RangeError);
    watermark.begin(7n);
    expect(() => watermark.begin(7n)).toThrow('offset 7 begins after 7');
    watermark.finish(7n);
    expect(() => watermark.begin(7n)).toThrow(RangeError);
  });

  describe('skipping what is gone', () => {
    /** Offsets 5 to 9 have begun, and these are finished. */
    function begun(...finished: bigint[]): Watermark {
      const watermark = new Watermark(5n);
      for (let offset = 5n; offset < 10n; offset += 1n) watermark.begin(offset);
      for (const offset of finished) watermark.finish(offset);
      return watermark;
    }

    it('goes on at the offset, and drops what has begun below it', () => {
      const watermark = begun(6n);
      expect(watermark.skipTo(8n)).toBe(true);
      expect([watermark.position, watermark.pending]).toEqual([8n, 2]);
      expect([watermark.finishedAhead, watermark.passed]).toEqual([0, 1]);
      for (const offset of [5n, 6n, 7n]) expect(watermark.finish(offset)).toBe(false);
      expect(watermark.position).toBe(8n);
      expect(watermark.finish(8n)).toBe(true);
      expect(watermark.position).toBe(9n);
    });

    it('passes what is finished right behind the gap', () => {
      const watermark = begun(8n, 9n);
      watermark.skipTo(8n);
      expect([watermark.position, watermark.pending, watermark.passed]).toEqual([10n, 0, 2]);
    });

    it('goes beyond all that has begun, and begins behind that only', () => {
      const watermark = begun();
      watermark.skipTo(20n);
      expect([watermark.position, watermark.pending]).toEqual([20n, 0]);
      expect(() => watermark.begin(10n)).toThrow(RangeError);
      watermark.begin(20n);
      expect(watermark.finish(20n)).toBe(true);
    });

    it('never goes back, and stays where it is told to', () => {
      const watermark = begun(5n, 6n);
      expect(watermark.skipTo(7n)).toBe(false);
      expect(() => watermark.skipTo(6n)).toThrow(RangeError);
      expect([watermark.position, watermark.pending]).toEqual([7n, 3]);
    });

    it('keeps counting right over a long run with skips', () => {
      const watermark = new Watermark(0n);
      for (let offset = 0n; offset < 1_000n; offset += 1n) {
        watermark.begin(offset);
        if (offset % 2n === 0n) watermark.finish(offset);
        if (offset % 100n === 99n) watermark.skipTo(offset + 1n);
      }
      expect([watermark.position, watermark.pending, watermark.passed]).toEqual([1_000n, 0, 500]);
    });
  });
});
