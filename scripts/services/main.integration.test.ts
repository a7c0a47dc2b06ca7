import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../bootstrap.mjs';
import { waitUntil } from '../wait-until.ts';
import { services } from './services.ts';
import { hasPostgres } from './test-database.ts';

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
    const { script, url } = await startScript(args, folder);
    await server.waitUntilReady(url, 10_000);

    script.kill(signal);
    await once(script, 'exit');

    await waitUntil('the server is gone', async () => !(await answers(url)));
    await waitUntil('its folder is gone', async () => (await readdir(folder)).length === 0);
    expect(script.signalCode).toBe(signal === 'SIGKILL' ? signal : null);
  });
});

/** Starts one server; the other one is the run's own, whose URL the script finds in the environment. */
async function startScript(
  args: readonly string[],
  temporaryFolder: string,
): Promise<{ script: ChildProcess; url: string }> {
  const { POSTGRES_URL: _, ...environment } = process.env;
  const script = spawn(process.execPath, args, {
    env: { ...environment, TMPDIR: temporaryFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => (output += chunk.toString());
  script.stdout.on('data', keep);
  script.stderr.on('data', keep);
  const findUrl = () => /export POSTGRES_URL=(\S+)/.exec(output)?.[1];
  const printed = waitUntil('the script printed the URL', () => findUrl() !== undefined, 50_000);
  await printed.catch((cause: unknown) => {
    throw new Error(`The script printed: ${output}`, { cause });
  });
  return { script, url: findUrl() ?? '' };
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
