import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '@waybill/core';

import { isMissing } from './owner-record.ts';

/** A taker writes its process id right after it has made the folder. */
const unsignedMs = 2_000;

const pauseMs = 20;

/**
 * Lets one process at a time look at a socket and take it over, by a folder that only one can make.
 *
 * @returns What `work` returned, or `undefined` if another process was still at it after `patienceMs`.
 */
export async function takingTurns<T>(
  folder: string,
  { clock, patienceMs }: { readonly clock: Clock; readonly patienceMs: number },
  work: () => Promise<T>,
): Promise<T | undefined> {
  const untilMs = clock.now() + patienceMs;
  while (!(await isOurs(folder))) {
    if (await isAbandoned(folder, clock)) await rm(folder, { recursive: true, force: true });
    else if (clock.now() >= untilMs) return undefined;
    else await clock.sleep(pauseMs);
  }
  try {
    return await work();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isOurs(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await writeFile(pidFile(folder), String(process.pid));
  return true;
}

/** Its process is gone, or died before it could sign. */
async function isAbandoned(folder: string, clock: Clock): Promise<boolean> {
  try {
    const pid = Number(await readFile(pidFile(folder), 'utf8'));
    return pid > 0 && !isAlive(pid);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    return clock.now() - (await stat(folder)).mtimeMs > unsignedMs;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function pidFile(folder: string): string {
  return join(folder, 'pid');
}
