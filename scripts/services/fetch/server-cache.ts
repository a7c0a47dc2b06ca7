import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../bootstrap.mjs';

const ABANDONED_AFTER_MS = 60 * 60 * 1_000;
const UNFINISHED = 'unfinished-';

const underWay = new Map<string, Promise<string>>();

/**
 * Gives the folder `name` of the checkout's cache of servers, and fills it first where it is missing.
 *
 * A folder gets its name when it is whole, so whoever interrupts `fill` leaves nothing behind that looks
 * finished. Of several processes that fill one at the same time, the first one's stays.
 *
 * @param fill Puts the files into the empty folder that it is given; what it throws is passed on.
 * @param cache Folder of the cache; `.cache/servers` of the checkout where absent.
 * @returns Path of the folder.
 */
export function cachedServer(
  name: string,
  fill: (folder: string) => Promise<void>,
  cache: string = join(root, '.cache', 'servers'),
): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return Promise.resolve(folder);
  const found = underWay.get(folder);
  if (found !== undefined) return found;
  const filled = fillAndName(cache, folder, fill).finally(() => underWay.delete(folder));
  underWay.set(folder, filled);
  return filled;
}

async function fillAndName(
  cache: string,
  folder: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  await mkdir(cache, { recursive: true });
  await removeAbandoned(cache);
  const unfinished = await mkdtemp(join(cache, UNFINISHED));
  try {
    await fill(unfinished);
    await chmod(unfinished, 0o755); // the checkout may have other users than the one who fetched
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else another process was faster
  }
  return folder;
}

async function removeAbandoned(cache: string): Promise<void> {
  const names = await readdir(cache);
  for (const name of names.filter((each) => each.startsWith(UNFINISHED))) {
    const folder = join(cache, name);
    const ageMs = await stat(folder).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0, // it got its name, or was removed, meanwhile
    );
    if (ageMs > ABANDONED_AFTER_MS) await rm(folder, { recursive: true, force: true });
  }
}
