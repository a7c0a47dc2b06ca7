import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const ours = {
  '@waybill/core': 'core',
  '@waybill/postgres': 'postgres',
  '@waybill/redis': 'redis',
  '@quickwms/events': 'quickwms-events',
};

/** Longest time to build and to pack, in milliseconds. */
export const unpackingDeadlineMs = 120_000;

/** A folder as a service has it after `npm install`. */
export interface UnpackedFolder {
  readonly path: string;
  /** @returns What a module printed that lies in the folder. */
  runModule(file: string, env?: Readonly<Record<string, string>>): Promise<string>;
  remove(): Promise<void>;
}

/**
 * Builds the packages, packs them as for publishing, and unpacks them into a folder of their own.
 *
 * @param others What the service has installed beside them.
 */
export async function unpackAll(others: readonly string[]): Promise<UnpackedFolder> {
  const path = await mkdtemp(join(tmpdir(), 'waybill-packed-'));
  await run('tsc', ['-b', 'packages/quickwms-events'], { cwd: root });
  for (const [name, directory] of Object.entries(ours)) await unpack(path, name, directory);
  for (const name of others) {
    const place = join(path, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(root, 'node_modules', name), place);
  }
  return {
    path,
    async runModule(file, env = {}) {
      const { stdout } = await run('node', [file], { cwd: path, env: { ...process.env, ...env } });
      return stdout;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

async function unpack(folder: string, name: string, directory: string): Promise<void> {
  const place = join(folder, 'node_modules', name);
  await mkdir(place, { recursive: true });
  const args = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: join(root, 'packages', directory) });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await run('tar', ['-xzf', join(folder, filename), '-C', place, '--strip-components=1']);
}
