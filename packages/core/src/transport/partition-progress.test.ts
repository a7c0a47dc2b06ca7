import { describe, expect, it } from 'vitest';

import { PartitionProgress } from './partition-progress.ts';

/** Offsets 0 to 9 have begun; at most `maxAhead` may be finished without a commit. */
function tenBegun(maxAhead: number): PartitionProgress {
  const progress = new PartitionProgress(0n, { maxAhead });
  for (let offset = 0n; offset < 10n; offset += 1n) progress.begin(offset);
  return progress;
}

describe('the progress in a partition', () => {
  it('may read whatever has begun, as long as little is finished without a commit', () => {
    const progress = tenBegun(3);
    expect(progress.mayRead).toBe(true);
    progress.finish(0n);
    progress.finish(1n);
    expect([progress.mayRead, progress.allowance]).toEqual([true, 1]);
    progress.finish(2n);
    expect([progress.mayRead, progress.allowance, progress.uncovered]).toEqual([false, 0, 3]);
  });

  it('pauses after that many finished ones behind a single hanging one', () => {
    const progress = tenBegun(3);
    for (const offset of [1n, 2n, 3n]) progress.finish(offset);
    expect(progress.due).toBeUndefined();
    expect(progress.mayRead).toBe(false);
    progress.finish(0n);
    expect(progress.mayRead).toBe(false);
    progress.confirm(progress.due!);
    expect([progress.mayRead, progress.uncovered]).toEqual([true, 0]);
  });

  it('goes on only when a commit is confirmed, and counts what has finished meanwhile', () => {
    const progress = tenBegun(3);
    for (const offset of [0n, 1n, 2n]) progress.finish(offset);
    const mark = progress.due!;
    expect(mark.upTo).toBe(3n);
    progress.finish(3n);
    progress.finish(5n);
    progress.confirm(mark);
    expect([progress.committed, progress.position, progress.uncovered]).toEqual([3n, 4n, 2]);
    expect(progress.due!.upTo).toBe(4n);
  });

  it('reads on behind everything that has begun, finished or not', () => {
    const progress = new PartitionProgress(5n, { maxAhead: 3 });
    expect(progress.next).toBe(5n);
    progress.begin(7n);
    progress.begin(9n);
    expect([progress.next, progress.position]).toEqual([10n, 5n]);
    progress.finish(7n);
    progress.finish(9n);
    expect(progress.next).toBe(10n);
    progress.skipTo(20n);
    expect(progress.next).toBe(20n);
  });

  it('counts records, not offsets', () => {
    const progress = new PartitionProgress(0n, { maxAhead: 3 });
    for (const offset of [100n, 200n, 300n]) progress.begin(offset);
    progress.finish(100n);
    progress.finish(200n);
    expect([progress.uncovered, progress.mayRead]).toEqual([2, true]);
  });

  it('is not taken back by the confirmation of an older commit', () => {
    const progress = tenBegun(5);
    progress.finish(0n);
    const older = progress.due!;
    progress.finish(1n);
    progress.confirm(progress.due!);
    progress.confirm(older);
    expect([progress.committed, progress.uncovered]).toEqual([2n, 0]);
  });

  it('has something to commit when it skips what is gone, of which nothing counts as finished', () => {
    const progress = tenBegun(3);
    progress.finish(1n);
    progress.skipTo(8n);
    expect([progress.due!.upTo, progress.uncovered]).toEqual([8n, 1]);
    progress.confirm(progress.due!);
    expect(progress.uncovered).toBe(0);
  });
});
