import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chance, chanceBetween, chanceOf } from './chance.ts';

describe('chance', () => {
  it('only depends on its arguments', () => {
    expect(chance('s', 'grade', 'L1/1/1')).toBe(chance('s', 'grade', 'L1/1/1'));
    const others = [
      chance('t', 'grade', 'L1/1/1'),
      chance('s', 'price', 'L1/1/1'),
      chance('s', 'grade', 'L1/1/2'),
    ];
    expect(others).not.toContain(chance('s', 'grade', 'L1/1/1'));
  });

  it('does not take two arguments for one', () => {
    expect(chance('a', 'bc', 'd')).not.toBe(chance('ab', 'c', 'd'));
  });

  it('is spread evenly', () => {
    const draws = Array.from({ length: 2_000 }, (_, index) => chance('s', 'spread', String(index)));
    const inFirstTenth = draws.filter((draw) => draw < 0.1).length;

    expect(inFirstTenth).toBeGreaterThan(140);
    expect(inFirstTenth).toBeLessThan(260);
  });

  it('stays within its bounds', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: -9, max: 9 }),
        fc.nat(9),
        (subject, lowest, span) => {
          const draw = chance('s', 'bounds', subject);
          const between = chanceBetween(lowest, lowest + span, 's', 'bounds', subject);
          expect(draw >= 0 && draw < 1).toBe(true);
          expect(Number.isInteger(between) && between >= lowest && between <= lowest + span).toBe(
            true,
          );
          expect(['a', 'b', 'c']).toContain(chanceOf(['a', 'b', 'c'], 's', 'bounds', subject));
        },
      ),
    );
  });
});
