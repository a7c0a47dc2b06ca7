import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { shareOut } from './share-out.ts';

const partitions = fc
  .uniqueArray(fc.integer({ min: 0, max: 15 }))
  .chain((numbers) =>
    fc.tuple(
      ...numbers.map((partition) =>
        fc
          .integer({ min: 1, max: 50 })
          .map((available) => ({ partition, from: BigInt(partition), available })),
      ),
    ),
  );

describe('sharing out', () => {
  it('uses all the room or reads all there is, and never more than either', () => {
    fc.assert(
      fc.property(partitions, fc.nat({ max: 200 }), fc.nat(), (ready, room, turn) => {
        const ranges = shareOut(ready, room, turn);
        const available = ready.reduce((sum, each) => sum + each.available, 0);
        expect(ranges.reduce((sum, { take }) => sum + take, 0)).toBe(Math.min(room, available));
        for (const { partition, from, take } of ranges) {
          const source = ready.find((each) => each.partition === partition)!;
          expect(from).toBe(source.from);
          expect(take).toBeGreaterThan(0);
          expect(take).toBeLessThanOrEqual(source.available);
        }
      }),
    );
  });

  it('gives every partition its turn when there is room for one message only', () => {
    const ready = [3, 5, 9].map((partition) => ({ partition, from: 0n, available: 100 }));
    const served = [0, 1, 2].map((turn) => shareOut(ready, 1, turn)[0]!.partition);
    expect(new Set(served)).toEqual(new Set([3, 5, 9]));
  });

  it('does not let a full partition starve a short one', () => {
    const ready = [
      { partition: 0, from: 0n, available: 1_000 },
      { partition: 1, from: 0n, available: 3 },
    ];
    const takes = new Map(
      shareOut(ready, 100, 0).map(({ partition, take }) => [partition, take] as const),
    );
    expect(takes).toEqual(
      new Map([
        [0, 97],
        [1, 3],
      ]),
    );
  });
});
