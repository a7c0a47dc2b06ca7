import { spawnWorker, startLedger } from '@waybill/testing';
import type { Ledger, WorkerProcess } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { createCrashDatabase, type CrashDatabase } from './support/crash-database.ts';
import { verdictOn } from './support/effects.ts';
import { fillLog } from './support/fill-log.ts';
import type { StandWatchArgs } from './workers/stand-watch.ts';

const count = 6;

describe.skipIf(!hasPostgres())('a worker that is asked to stop in the middle of its work', () => {
  let database: CrashDatabase;
  let ledger: Ledger;
  beforeEach(async () => {
    database = await createCrashDatabase();
    ledger = await startLedger();
    await fillLog(database, count);
  });
  afterEach(async () => {
    await ledger?.stop();
    await database?.drop();
  });

  function worker(name: string, more: { workMs: number; deadlineMs?: number }): WorkerProcess {
    const args: StandWatchArgs = { url: database.url, ledgerUrl: ledger.url, name, ...more };
    return spawnWorker(new URL('workers/stand-watch.ts', import.meta.url), args);
  }

  /** Stops a worker that is in its first handler. @returns What it says it has not finished. */
  async function stopAtWork(leaving: WorkerProcess): Promise<string[]> {
    await leaving.message('working');
    leaving.signal('SIGTERM');
    const { unfinished } = await leaving.message<{ unfinished: string[] }>('stopped');
    await leaving.finished();
    return unfinished;
  }

  async function finishWith(successor: WorkerProcess): Promise<void> {
    await successor.message('ready');
    await waitUntil('everything is handled', async () => {
      const effects = await database.column('movements', 'event_id');
      return new Set(effects).size === count;
    });
    successor.signal('SIGTERM');
    await successor.finished();
  }

  it('finishes what it has begun, and leaves the rest without a repeat', async () => {
    await using leaving = worker('leaving', { workMs: 1_500, deadlineMs: 20_000 });
    expect(await stopAtWork(leaving)).toEqual([]);
    const handled = (await ledger.entries()).length;
    expect(handled).toBeGreaterThan(0);
    expect(handled).toBeLessThan(count);

    await using successor = worker('successor', { workMs: 0 });
    await finishWith(successor);

    const { violations, duplicates } = await verdictOn(database, ledger, count);
    expect(violations).toEqual([]);
    expect([...duplicates]).toEqual([]);
  });

  it('names what it could not finish by the deadline, and another one does that once', async () => {
    await using leaving = worker('leaving', { workMs: 4_000, deadlineMs: 1 });
    const unfinished = await stopAtWork(leaving);
    expect(unfinished).toContain('e1');
    expect(await database.column('movements', 'event_id')).toEqual([]);

    await using successor = worker('successor', { workMs: 0 });
    await finishWith(successor);

    expect((await verdictOn(database, ledger, count)).violations).toEqual([]);
  });
});
