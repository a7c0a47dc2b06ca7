import { describe, expect, it } from 'vitest';

import { CrashPoints, type CrashPlan } from './crash-points.ts';

function crash(): void {
  throw new Error('crashed');
}

/** Does three writes and returns those that happened. */
async function writeThrice(plan?: CrashPlan): Promise<{ written: string[]; crashed: boolean }> {
  const points = new CrashPoints(plan, crash);
  const written: string[] = [];
  const write = (name: string) => points.around(name, async () => written.push(name));
  try {
    await write('INSERT a');
    await write('INSERT b');
    await write('INSERT a');
    return { written, crashed: false };
  } catch {
    return { written, crashed: true };
  }
}

describe('crash points', () => {
  it('records every write under a name of its own', async () => {
    const points = new CrashPoints();
    for (const name of ['INSERT a', 'COMMIT', 'INSERT a', 'COMMIT', 'INSERT a']) {
      await points.around(name, async () => {});
    }

    expect(points.names).toEqual(['INSERT a', 'COMMIT', 'INSERT a #2', 'COMMIT #2', 'INSERT a #3']);
  });

  it('crashes nobody without a plan', async () => {
    expect(await writeThrice()).toEqual({
      written: ['INSERT a', 'INSERT b', 'INSERT a'],
      crashed: false,
    });
  });

  it('crashes just before the point with that number', async () => {
    expect(await writeThrice({ point: 2, moment: 'before' })).toEqual({
      written: ['INSERT a'],
      crashed: true,
    });
  });

  it('crashes just after the point with that number', async () => {
    expect(await writeThrice({ point: 2, moment: 'after' })).toEqual({
      written: ['INSERT a', 'INSERT b'],
      crashed: true,
    });
  });

  it('crashes at the first point with that name', async () => {
    expect(await writeThrice({ point: 'INSERT a', moment: 'after' })).toEqual({
      written: ['INSERT a'],
      crashed: true,
    });
  });

  it('crashes at a later point with that name', async () => {
    expect(await writeThrice({ point: 'INSERT a #2', moment: 'before' })).toEqual({
      written: ['INSERT a', 'INSERT b'],
      crashed: true,
    });
  });

  it('gives back what the write returned and lets its failure through', async () => {
    const points = new CrashPoints();

    expect(await points.around('a', async () => 42)).toBe(42);
    await expect(points.around('b', () => Promise.reject(new Error('refused')))).rejects.toThrow(
      'refused',
    );
  });
});
