import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cachedServer } from './server-cache.ts';

describe('the cache of servers', () => {
  let cache: string;

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'server-cache-'));
  });
  afterEach(() => rm(cache, { recursive: true }));

  const write = (text: string) => (folder: string) => writeFile(join(folder, 'server'), text);
  const refuse = () => Promise.reject(new Error('no network'));
  const read = (folder: string) => readFile(join(folder, 'server'), 'utf8');

  it('fills a folder that is missing, and only then', async () => {
    const first = await cachedServer('redis', write('fetched'), cache);
    const second = await cachedServer('redis', refuse, cache);

    expect(second).toBe(first);
    expect(await read(second)).toBe('fetched');
  });

  it('fills a folder once for all who ask meanwhile', async () => {
    const first = cachedServer('redis', write('fetched'), cache);
    const second = cachedServer('redis', refuse, cache);

    expect(await second).toBe(await first);
  });

  it('keeps nothing of a fetch that failed, and tries again when asked again', async () => {
    const broken = async (folder: string) => {
      await write('half')(folder);
      throw new Error('no network');
    };

    await expect(cachedServer('redis', broken, cache)).rejects.toThrow('no network');
    expect(await readdir(cache)).toEqual([]);
    expect(await read(await cachedServer('redis', write('fetched'), cache))).toBe('fetched');
  });

  it('takes what another process put there while this one was fetching', async () => {
    const overtaken = async (folder: string) => {
      await mkdir(join(cache, 'redis'));
      await write('theirs')(join(cache, 'redis'));
      await write('ours')(folder);
    };

    expect(await read(await cachedServer('redis', overtaken, cache))).toBe('theirs');
    expect(await readdir(cache)).toEqual(['redis']);
  });

  it('removes what an interrupted fetch left an hour ago, and nothing that is under way', async () => {
    const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1_000);
    await mkdir(join(cache, 'unfinished-new'));
    await mkdir(join(cache, 'unfinished-old'));
    await utimes(join(cache, 'unfinished-old'), longAgo, longAgo);

    await cachedServer('redis', write('fetched'), cache);

    expect(await readdir(cache)).toEqual(['redis', 'unfinished-new']);
  });
});
