import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { spawnWorker } from './spawn-worker.ts';
import { recordPoints, sweep, type SweptWorld } from './sweep.ts';

const transfer = new URL('../test/workers/transfer.ts', import.meta.url);

interface TransferWorld extends SweptWorld {
  written(): Promise<string>;
}

/** A folder in which a worker appends two amounts; a careless one repeats what it did before. */
async function transferWorld({ careless = false } = {}): Promise<TransferWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'sweep-test-'));
  const written = () => readFile(join(folder, 'target'), 'utf8');
  return {
    written,
    start: (plan) => spawnWorker(transfer, { folder, plan, careless }),
    async check() {
      const amounts = (await written()).match(/^ten|^twenty/gm);
      expect(amounts).toEqual(['ten', 'twenty']);
    },
    close: () => rm(folder, { recursive: true }),
  };
}

// A sweep starts many processes, one after the other.
describe('a sweep', { timeout: 60_000 }, () => {
  it('lists the points of a run', async () => {
    const world = await transferWorld();

    expect(await recordPoints(world)).toEqual(['append ten', 'append twenty', 'append end']);
    await world.close();
  });

  it('kills a process before and after each of its points and lets another finish', async () => {
    const { survived } = await sweep({ world: transferWorld });

    expect(survived).toEqual([
      'before append ten',
      'after append ten',
      'before append twenty',
      'after append twenty',
      'before append end',
      'after append end',
    ]);
  });

  it('names the crash that leaves the world wrong', async () => {
    const careless = () => transferWorld({ careless: true });

    await expect(sweep({ world: careless })).rejects.toThrow('a crash after append ten');
  });

  it('looks at what the death left behind before anybody mends it', async () => {
    const lines: string[] = [];
    const watched = async (): Promise<SweptWorld> => {
      const world = await transferWorld();
      return { ...world, checkAfterDeath: async () => void lines.push(await world.written()) };
    };
    await sweep({ world: watched, points: ['append twenty'] });

    expect(lines).toEqual(['ten\n', 'ten\ntwenty\n']);
  });

  it('fails when the process does not die at the point it was to die at', async () => {
    const points = ['append thirty'];

    await expect(sweep({ world: transferWorld, points })).rejects.toThrow(
      /before append thirty: worker transfer.ts should have been killed by SIGKILL: exit code 0/,
    );
  });

  it('reports a point that a run did not come to, where that may be', async () => {
    const { survived, missed } = await sweep({
      world: transferWorld,
      points: ['append ten', 'append thirty'],
      moments: ['before'],
      mayBeMissed: (point) => point === 'append thirty',
    });

    expect(survived).toEqual(['before append ten']);
    expect(missed).toEqual(['before append thirty']);
  });
});
