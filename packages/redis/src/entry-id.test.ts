import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compareIds, idBefore, lastIdBefore, laterId, zeroId } from './entry-id.ts';

const maxSequence = 2n ** 64n - 1n;
/** Close to each other and to the ends of their ranges, so that every comparison meets equal parts. */
const times = fc.oneof(fc.nat({ max: 2 }), fc.integer({ min: 1, max: 2 ** 48 }));
const sequences = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n }),
  fc.bigInt({ min: maxSequence - 2n, max: maxSequence }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 53n + 2n }),
);
const parts = fc.tuple(times, sequences);
const written = ([time, sequence]: readonly [number, bigint]): string => `${time}-${sequence}`;
/** One number in the place of both parts. */
const numberOf = ([time, sequence]: readonly [number, bigint]): bigint =>
  BigInt(time) * 2n ** 64n + sequence;

describe('entry ids', () => {
  it('are compared by their time, then by their sequence, exactly', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const difference = numberOf(a) - numberOf(b);
        const expected = difference < 0n ? -1 : difference > 0n ? 1 : 0;
        expect(Math.sign(compareIds(written(a), written(b)))).toBe(expected);
      }),
    );
  });

  it('may be written without a sequence', () => {
    expect(compareIds('5', '5-0')).toBe(0);
    expect(compareIds('5', '5-1')).toBeLessThan(0);
    expect(compareIds('5-1', '5')).toBeGreaterThan(0);
  });

  it('are not compared as text', () => {
    expect(compareIds('9-0', '10-0')).toBeLessThan(0);
    expect(compareIds('1-9', '1-10')).toBeLessThan(0);
  });

  it('have a later one of two, and it is one of them', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const later = numberOf(a) >= numberOf(b) ? a : b;
        expect(laterId(written(a), written(b))).toBe(written(later));
      }),
    );
  });

  it('have nothing between an id and the one before it', () => {
    fc.assert(
      fc.property(parts, (id) => {
        fc.pre(numberOf(id) > 0n);
        const [time, sequence] = idBefore(written(id)).split('-');
        expect(numberOf([Number(time), BigInt(sequence!)])).toBe(numberOf(id) - 1n);
      }),
    );
  });

  it('have nothing before the first one', () => {
    expect(idBefore(zeroId)).toBe(zeroId);
    expect(lastIdBefore(0)).toBe(zeroId);
  });

  it('have one behind which everything of a time and later lies, and nothing else', () => {
    fc.assert(
      fc.property(times, parts, (time, id) => {
        fc.pre(time > 0);
        const isBehind = compareIds(written(id), lastIdBefore(time)) > 0;
        expect(isBehind).toBe(id[0] >= time);
      }),
    );
  });
});
