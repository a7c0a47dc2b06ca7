import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../bootstrap.mjs';
import { waitUntil } from '../wait-until.ts';
import { askRedis } from './redis-server.ts';
import { services } from './services.ts';
import { hasPostgres } from './test-database.ts';
import { hasRedis } from './test-redis.ts';

const [server] = services;

const main = join(import.meta.dirname, 'main.ts');
const run = join(root, 'scripts', 'run.mjs');

describe.skipIf(!hasPostgres(18) || !hasPostgres(15))('npm run services', () => {
  it.for<[NodeJS.Signals, string, string[]]>([
    ['SIGINT', 'the script', [main]],
    ['SIGTERM', 'the script', [main]],
    ['SIGKILL', 'the script', [main]],
    ['SIGTERM', 'what npm started', [run, main]],
    ['SIGKILL', 'what npm started', [run, main]],
  ])('leaves no server and no files behind after %s to %s', async ([signal, , args]) => {
    const folder = await createTemporaryFolder();
    const { script, output } = startScript(args, folder, { POSTGRES_URL: undefined });
    const url = await printedUrl('POSTGRES_URL', output);
    await server.waitUntilReady(url, 10_000);

    script.kill(signal);
    await once(script, 'exit');

    await waitUntil('the server is gone', async () => !(await answers(url)));
    await waitUntil('its folder is gone', async () => (await readdir(folder)).length === 0);
    expect(script.signalCode).toBe(signal === 'SIGKILL' ? signal : null);
  });
});

describe.skipIf(!hasPostgres(18) || !hasPostgres(15) || !hasRedis('valkey'))(
  'npm run services -- --redis',
  () => {
    it('starts the one that is named, also where the terminal has the URL of another', async () => {
      const folder = await createTemporaryFolder();
      const environment = { REDIS_URL: 'redis://127.0.0.1:1' };
      const { script, output } = startScript([main, '--redis', 'valkey'], folder, environment);

      const url = await printedUrl('REDIS_URL', output);

      expect(await askRedis(url, (client) => client.info('server'))).toContain('valkey_version');
      expect(output()).not.toContain('VALKEY_URL');
      script.kill('SIGINT');
      await once(script, 'exit');
    });
  },
);

/** Starts the servers whose URL is not in the environment: with the run's own there, one or none. */
function startScript(
  args: readonly string[],
  temporaryFolder: string,
  environment: NodeJS.ProcessEnv,
): { script: ChildProcess; output: () => string } {
  const script = spawn(process.execPath, args, {
    env: { ...process.env, ...environment, TMPDIR: temporaryFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void script.kill());
  let output = '';
  const keep = (chunk: Buffer) => (output += chunk.toString());
  script.stdout.on('data', keep);
  script.stderr.on('data', keep);
  return { script, output: () => output };
}

async function printedUrl(variable: string, output: () => string): Promise<string> {
  const findUrl = () => new RegExp(`export ${variable}=(\\S+)`).exec(output())?.[1];
  const printed = waitUntil('the script printed the URL', () => findUrl() !== undefined, 50_000);
  await printed.catch((cause: unknown) => {
    throw new Error(`The script printed: ${output()}`, { cause });
  });
  return findUrl() ?? '';
}

async function answers(url: string): Promise<boolean> {
  try {
    await server.waitUntilReady(url, 0);
    return true;
  } catch {
    return false; // which is the answer
  }
}

async function createTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'services-test-'));
  await chmod(folder, 0o711);
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
