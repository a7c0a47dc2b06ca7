import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createScratchFolder, othersMayEnter, unprivilegedUser } from './scratch-folder.ts';

describe('a scratch folder', () => {
  it('may be entered by other users but not listed', async () => {
    const folder = await createScratchFolder('test');
    onTestFinished(() => rm(folder, { recursive: true }));

    expect((await stat(folder)).mode & 0o777).toBe(0o711);
    expect(await othersMayEnter(folder)).toBe(true);
  });

  it('is needed where a folder further up keeps other users out', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'closed-'));
    onTestFinished(() => rm(closed, { recursive: true }));
    await mkdir(join(closed, 'open'));
    await chmod(closed, 0o700);
    await chmod(join(closed, 'open'), 0o755);

    expect(await othersMayEnter(join(closed, 'open'))).toBe(false);
  });
});

describe('the unprivileged user', () => {
  it('is somebody other than root', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root needs one');

    const user = await unprivilegedUser();

    expect(user?.uid).toBeGreaterThan(0);
    expect(user?.gid).toBeGreaterThan(0);
  });

  it('is not looked for unless we are root', async (context) => {
    if (process.getuid?.() === 0) return context.skip('this run is root');

    expect(await unprivilegedUser()).toBeUndefined();
  });
});
