import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { root } from '../bootstrap.mjs';
import { findRedis } from './find-redis.ts';
import { redisVersions, type RedisFacts } from './redis-versions.ts';

const unreachable: RedisFacts = {
  ...redisVersions['7.0'],
  source: {
    folder: 'never-fetched',
    fetch: () => Promise.reject(new Error('no network')),
    command: () => ['never'],
  },
};

describe('finding a Redis', () => {
  let path: string;

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'find-redis-'));
    vi.stubEnv('PATH', path);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(path, { recursive: true });
  });

  const install = (banner: string) =>
    writeFile(join(path, 'redis-server'), `#!/bin/sh\necho '${banner} sha=0'\n`, { mode: 0o755 });
  const find = () => findRedis(unreachable, () => {});

  it('takes the server on the PATH', async () => {
    await install('Redis server v=7.0.99');

    expect(await find()).toEqual(['redis-server']);
  });

  it.for(['Redis server v=7.2.0', 'Valkey server v=7.0.1'])('passes %s by', async (banner) => {
    await install(banner);

    await expect(find()).rejects.toThrow('Redis 7.0 is not on the PATH');
  });

  it('says in one line why there is none and what to do', async () => {
    await expect(find()).rejects.toThrow(
      /^Redis 7\.0 is not .* \(no network\); install it, or run "docker compose up -d --wait redis-7\.0" and set REDIS_URL=redis:\/\/127\.0\.0\.1:6379$/,
    );
  });
});

describe.for(Object.values(redisVersions))('the advice for $name', ({ name, compose }) => {
  it('names a service of compose.yaml', async () => {
    const services = (await readFile(join(root, 'compose.yaml'), 'utf8')).split(/^ {2}(?=\w)/m);
    const service = services.find((each) => each.startsWith(`${compose.service}:`));

    expect(service).toContain(`:${name.split(' ')[1]}\n`);
    expect(service).toContain(`'127.0.0.1:${compose.port}:6379'`);
  });
});
