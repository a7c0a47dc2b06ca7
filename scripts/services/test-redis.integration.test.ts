import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAlive, waitUntil } from '../wait-until.ts';
import { askRedis, pingRedis, portWasTaken } from './redis-server.ts';
import type { RedisVersion } from './redis-versions.ts';
import {
  canStartRedis,
  hasRedis,
  redisUrl,
  startTestRedis,
  type TestRedis,
  type TestRedisOptions,
} from './test-redis.ts';

const versions: readonly [RedisVersion, RegExp][] = [
  ['7.0', /^redis_version:7\.0\./m],
  ['6.2', /^redis_version:6\.2\./m],
  ['8.0', /^redis_version:8\.0\./m],
  ['valkey', /^valkey_version:8\.1\./m],
];

describe.for(versions)("the run's Redis %s", ([version, itself]) => {
  it.skipIf(!hasRedis(version))('is what it is said to be', async () => {
    expect(await askRedis(redisUrl(version), (client) => client.info('server'))).toMatch(itself);
  });
});

for (const [version, itself] of versions) {
  describe.skipIf(!(await canStartRedis(version)))(`a test's own Redis ${version}`, () => {
    it('keeps its data over a restart if told so, and else loses it', async () => {
      const redis = await start({ version });
      await askRedis(redis.url, (client) => client.set('key', 'kept'));

      await redis.restart({ keepData: true });
      expect(await get(redis, 'key')).toBe('kept');

      await redis.restart({ keepData: false });
      expect(await get(redis, 'key')).toBeNull();
    });

    it('runs as users run it, with what the test sets, after a restart too', async () => {
      const redis = await start({ version, settings: { maxmemory: '8388608' } });

      await redis.restart({ keepData: true });

      expect(await askRedis(redis.url, (client) => client.info('server'))).toMatch(itself);
      expect(await setting(redis, 'maxmemory')).toBe('8388608');
      expect(await setting(redis, 'appendonly')).toBe('yes');
      expect(await setting(redis, 'appendfsync')).toBe('everysec');
      expect(await setting(redis, 'save')).toBe('');
      expect(await askRedis(redis.url, (client) => client.call('DEBUG', 'SLEEP', '0'))).toBe('OK');
    });

    it('says that its port was taken, and comes back once it is free', async () => {
      const redis = await start({ version });
      await redis.kill();
      const other = createServer((socket) => socket.destroy());
      await once(other.listen(Number(new URL(redis.url).port), '127.0.0.1'), 'listening');

      const complaint = await redis.restart({ keepData: true }).catch(String);
      expect(portWasTaken(complaint ?? '')).toBe(true);
      other.close();
      await once(other, 'close');
      await redis.restart({ keepData: true });

      await pingRedis(redis.url);
    });
  });
}

describe.skipIf(!hasRedis() || !(await canStartRedis()))("a test's own Redis", () => {
  it('asks for its password', async () => {
    const redis = await start();

    await expect(pingRedis(redis.url.replace(/:\w+@/, ':wrong@'))).rejects.toThrow('WRONGPASS');
  });

  it('is killed with SIGKILL, and stopped in good order by a restart', async () => {
    const log = await mkdtemp(join(tmpdir(), 'test-redis-'));
    onTestFinished(() => rm(log, { recursive: true }));
    const logfile = join(log, 'redis.log');
    const redis = await start({ settings: { logfile } });
    const pid = await pidOf(redis);

    await redis.kill();
    expect(isAlive(pid)).toBe(false);
    expect(await readFile(logfile, 'utf8')).not.toContain('User requested shutdown');

    await redis.restart({ keepData: true });
    await redis.restart({ keepData: true });
    expect(await readFile(logfile, 'utf8')).toContain('User requested shutdown');
  });

  it('answers nothing while it is frozen', async () => {
    const redis = await start();
    const events: string[] = [];
    await askRedis(redis.url, async (client) => {
      redis.freeze();
      const answer = client.ping().then(() => events.push('answered'));
      for (let round = 0; round < 20; round += 1) await pingRedis(redisUrl());
      events.push('thawed');
      redis.thaw();
      await answer;
    });

    expect(events).toEqual(['thawed', 'answered']);
  });

  it.for<[string, (redis: TestRedis) => Promise<void>]>([
    ['running', async () => {}],
    ['frozen', async (redis) => redis.freeze()],
    ['killed', (redis) => redis.kill()],
  ])('leaves no process and no folder when it is stopped while it is %s', async ([, prepare]) => {
    const redis = await start();
    const pid = await pidOf(redis);
    const folder = await setting(redis, 'dir');
    expect(existsSync(folder)).toBe(true);
    await prepare(redis);

    await redis.stop();

    expect(isAlive(pid)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

  it('goes with the process that started it, however that ends', async () => {
    const module = JSON.stringify(join(import.meta.dirname, 'test-redis.ts'));
    const code = `const { startTestRedis } = await import(${module}); console.log((await startTestRedis()).url)`;
    const script = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [url] = await once(script.stdout, 'data');
    const redis = { url: String(url).trim() };
    const pid = await pidOf(redis);
    const folder = await setting(redis, 'dir');

    script.kill('SIGKILL');
    await once(script, 'exit');

    await waitUntil('the server is gone', () => !isAlive(pid));
    await waitUntil('its folder is gone', () => !existsSync(folder));
    expect(script.signalCode).toBe('SIGKILL');
  });
});

async function start(options?: TestRedisOptions): Promise<TestRedis> {
  const redis = await startTestRedis(options);
  onTestFinished(() => redis.stop());
  return redis;
}

type WithUrl = Pick<TestRedis, 'url'>;

function get(redis: WithUrl, key: string): Promise<string | null> {
  return askRedis(redis.url, (client) => client.get(key));
}

async function setting(redis: WithUrl, name: string): Promise<string> {
  const [, value] = await askRedis(
    redis.url,
    (client) => client.config('GET', name) as Promise<string[]>,
  );
  return value ?? '';
}

async function pidOf(redis: WithUrl): Promise<number> {
  const info = await askRedis(redis.url, (client) => client.info('server'));
  return Number(/^process_id:(\d+)/m.exec(info)?.[1]);
}
