import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Machine } from './machine.ts';

/** Who has a directory open, kept in the directory itself, where every machine that shares it can see it. */
export interface OwnerRecord extends Machine {
  readonly pid: number;
  /** Differs each time the directory is opened. */
  readonly token: string;
}

/** @returns The path of the record of a directory. */
export function recordPath(directory: string): string {
  return join(directory, 'owner.json');
}

/** The record of the last owner that did not close the directory; `undefined` if there is none. */
export async function readRecord(directory: string): Promise<OwnerRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordPath(directory), 'utf8')) as OwnerRecord;
  } catch (error) {
    // An owner that was killed while it wrote its record had not opened the database yet.
    if (error instanceof SyntaxError || isMissing(error)) return undefined;
    throw error;
  }
}

export async function writeRecord(directory: string, record: OwnerRecord): Promise<void> {
  await writeFile(recordPath(directory), `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

export async function removeRecord(directory: string): Promise<void> {
  await rm(recordPath(directory), { force: true });
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
