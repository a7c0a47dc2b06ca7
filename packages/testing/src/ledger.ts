import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RecordedEntry } from './ledger-entry.ts';
import { siblingModule } from './sibling-module.ts';
import { spawnWorker } from './spawn-worker.ts';

/** The process that does the counting. */
export interface Ledger {
  /** Where a `LedgerClient` connects. */
  readonly url: string;
  /** Everything that was reported and confirmed so far, in the order in which it came. */
  entries(): Promise<RecordedEntry[]>;
  /** Ends the process and removes its file. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a ledger in a process of its own, so that it outlives every process that reports to it.
 *
 * It keeps its entries in a file under the system's temporary folder.
 */
export async function startLedger(): Promise<Ledger> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-ledger-'));
  const path = join(folder, 'entries.jsonl');
  const module = siblingModule(new URL('./ledger-process.ts', import.meta.url), import.meta.url);
  const worker = spawnWorker(module, { path });
  const { url } = await worker.message<{ url: string }>('listening');
  const stop = async (): Promise<void> => {
    await worker[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  return { url, entries: () => readEntries(path), stop, [Symbol.asyncDispose]: stop };
}

async function readEntries(path: string): Promise<RecordedEntry[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  // What follows the last line end is nothing, or a line that is being written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as RecordedEntry);
}
