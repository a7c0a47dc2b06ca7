import { describe, expect, it } from 'vitest';

import { settle } from '../test/until.ts';
import { PendingWork } from './pending-work.ts';

describe('pending work', () => {
  it('has ended when all of it has, what began meanwhile included, however it went', async () => {
    const work = new PendingWork();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    work.watch(first.promise).catch(() => work.add(second.promise));
    let ended = false;
    const all = work.ended().then(() => (ended = true));
    first.reject(new Error('no'));
    await settle();
    expect(ended).toBe(false);
    second.resolve();
    await all;
  });

  it('has ended when there is none', async () => {
    await expect(new PendingWork().ended()).resolves.toBeUndefined();
  });

  it('gives what the work gives', async () => {
    const work = new PendingWork();
    const failed = new Error('no');
    await expect(work.watch(Promise.resolve(7))).resolves.toBe(7);
    await expect(work.watch(Promise.reject(failed))).rejects.toBe(failed);
  });
});
