import { describe, expect, it } from 'vitest';

import { ManualClock } from '../memory/manual-clock.ts';
import { CommitPacer, type CommitPacerOptions } from './commit-pacer.ts';
import { PartitionProgress } from './partition-progress.ts';

/** Two partitions with ten begun offsets each, and a pacer that notes what it writes. */
function paced(options: Partial<CommitPacerOptions<PartitionProgress>> = {}) {
  const clock = new ManualClock(0);
  const positions = [0, 1].map(() => new PartitionProgress(0n, { maxAhead: 100 }));
  for (const position of positions) {
    for (let offset = 0n; offset < 10n; offset += 1n) position.begin(offset);
  }
  const written: (readonly [partition: number, upTo: bigint])[][] = [];
  const told: string[] = [];
  const pacer = new CommitPacer({
    positions: () => positions,
    clock,
    everyMs: 50,
    write: async (commits) => {
      written.push(commits.map(({ position, upTo }) => [positions.indexOf(position), upTo]));
      return true;
    },
    onRefused: () => void told.push('refused'),
    onFailed: () => void told.push('failed'),
    onConfirmed: () => void told.push('confirmed'),
    ...options,
  });
  return { clock, positions, written, told, pacer };
}

describe('a commit pacer', () => {
  it('writes what has moved once within its time, however often it is asked to', async () => {
    const { clock, positions, written, pacer, told } = paced();
    for (const offset of [0n, 1n, 2n]) {
      positions[1]!.finish(offset);
      pacer.request();
    }
    await clock.advance(49);
    expect(written).toEqual([]);
    await clock.advance(1);
    expect(written).toEqual([[[1, 3n]]]);
    expect(positions[1]!.committed).toBe(3n);
    expect(told).toEqual(['confirmed']);
  });

  it('writes nothing if nothing has moved', async () => {
    const { positions, written, pacer } = paced();
    positions[0]!.finish(4n);
    await pacer.write();
    expect(written).toEqual([]);
  });

  it('has one write under way at a time', async () => {
    const answers: PromiseWithResolvers<boolean>[] = [];
    const { positions, pacer } = paced({
      write: () => {
        answers.push(Promise.withResolvers<boolean>());
        return answers.at(-1)!.promise;
      },
    });
    positions[0]!.finish(0n);
    const first = pacer.write();
    await Promise.resolve();
    positions[0]!.finish(1n);
    const second = pacer.write();
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toHaveLength(1);
    answers[0]!.resolve(true);
    await first;
    expect(positions[0]!.committed).toBe(1n);
    await new Promise((resolve) => setImmediate(resolve));
    answers[1]!.resolve(true);
    await second;
    expect(positions[0]!.committed).toBe(2n);
  });

  it('tries again after a failure, with growing pauses', async () => {
    const triedAtMs: number[] = [];
    const { clock, positions, pacer, told } = paced({
      write: async () => {
        triedAtMs.push(clock.now());
        if (triedAtMs.length < 4) throw new Error('away');
        return true;
      },
    });
    positions[0]!.finish(0n);
    pacer.request();
    await clock.advance(1_000);
    expect(triedAtMs).toEqual([50, 100, 200, 400]);
    expect(told).toEqual(['failed', 'failed', 'failed', 'confirmed']);
  });

  it('confirms nothing that was refused', async () => {
    const { positions, pacer, told } = paced({ write: async () => false });
    positions[0]!.finish(0n);
    await pacer.write();
    expect(told).toEqual(['refused']);
    expect(positions[0]!.committed).toBe(0n);
  });

  it('writes a last time at the end, positions that have not moved included if asked to, and then no more', async () => {
    const { clock, positions, written, pacer } = paced();
    positions[0]!.finish(0n);
    pacer.request();
    await pacer.writeLast(new Set([positions[1]!]));
    expect(written).toEqual([
      [
        [0, 1n],
        [1, 0n],
      ],
    ]);
    positions[0]!.finish(1n);
    await clock.advance(1_000);
    expect(written).toHaveLength(1);
  });

  it('says that the last write has failed', async () => {
    const { positions, pacer } = paced({ write: () => Promise.reject(new Error('away')) });
    positions[0]!.finish(0n);
    await expect(pacer.writeLast()).rejects.toThrow('away');
  });
});
