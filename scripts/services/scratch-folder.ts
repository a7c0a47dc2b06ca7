import { execFile } from 'node:child_process';
import { chmod, mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** A user and a group, by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Makes an empty folder under the system's temporary folder, which other users may enter but not list.
 *
 * @returns Its path.
 */
export async function createScratchFolder(name: string): Promise<string> {
  const parent = (await othersMayEnter(tmpdir())) ? tmpdir() : '/tmp';
  const folder = await mkdtemp(join(parent, `waybill-${name}-`));
  await chmod(folder, 0o711);
  return folder;
}

/** Tells whether users other than the owner may go through `path` and every folder above it. */
export async function othersMayEnter(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) return false;
  const parent = dirname(path);
  return parent === path || othersMayEnter(parent);
}

/**
 * Names the unprivileged user to run servers as that refuse to run as root.
 *
 * @returns Undefined unless this process is root.
 */
export async function unprivilegedUser(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => {
    const { stdout } = await promisify(execFile)('id', [flag, 'nobody']);
    return Number(stdout);
  };
  return { uid: await id('-u'), gid: await id('-g') };
}
