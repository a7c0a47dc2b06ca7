import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isInstalled } from './bootstrap.mjs';

describe('deciding whether to install', () => {
  let checkout: string;

  beforeEach(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'bootstrap-test-'));
    await mkdir(join(checkout, 'node_modules'));
  });
  afterEach(() => rm(checkout, { recursive: true }));

  const lock = (packages: object) =>
    writeFile(join(checkout, 'package-lock.json'), JSON.stringify({ packages }));
  const installed = (packages: object) =>
    writeFile(join(checkout, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));

  it('does after a clone and after an install that was interrupted', async () => {
    await lock({ '': {}, 'node_modules/a': { version: '1.0.0' } });

    expect(isInstalled(checkout)).toBe(false);
  });

  it('does not while node_modules holds what the lockfile names', async () => {
    await lock({ '': {}, 'node_modules/a': { version: '1.0.0' } });
    await installed({ 'node_modules/a': { version: '1.0.0' } });

    expect(isInstalled(checkout)).toBe(true);
  });

  it('does when a package was added or has another version', async () => {
    await installed({ 'node_modules/a': { version: '1.0.0' } });

    await lock({ 'node_modules/a': { version: '1.0.1' } });
    expect(isInstalled(checkout)).toBe(false);
    await lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } });
    expect(isInstalled(checkout)).toBe(false);
  });

  it('does not miss the native packages of other platforms', async () => {
    await lock({
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a-darwin': { version: '1.0.0', optional: true },
    });
    await installed({ 'node_modules/a': { version: '1.0.0' } });

    expect(isInstalled(checkout)).toBe(true);
  });
});
