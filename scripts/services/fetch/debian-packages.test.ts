import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { fetchDebianPackages } from './debian-packages.ts';

describe('fetching packages of Debian', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('fails, and does not claim to fetch anything, where there is no apt', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'debian-packages-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    vi.stubEnv('PATH', folder);
    const say = vi.fn<(line: string) => void>();

    const fetched = fetchDebianPackages({ suite: 'bookworm', packages: ['hello'] }, folder, say);

    await expect(fetched).rejects.toThrow(
      process.platform === 'linux' ? 'spawn apt-get ENOENT' : 'do not run on',
    );
    expect(say).not.toHaveBeenCalled();
  });
});
