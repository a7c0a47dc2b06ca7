import { PostgresDeadLetterQueue } from '@waybill/postgres';
import { checkLedger, spawnWorker, startLedger } from '@waybill/testing';
import type { Ledger, LedgerEntry, WorkerProcess } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { createCrashDatabase, type CrashDatabase } from './support/crash-database.ts';
import { deadLetterOf } from './support/dead-letter-of.ts';
import { fillLog } from './support/fill-log.ts';
import { idsUpTo } from './support/test-events.ts';
import type { ClaimArgs } from './workers/claim.ts';
import type { StandWatchArgs } from './workers/stand-watch.ts';

const tenMinutesMs = 600_000;
const leaseMs = 2_000;

describe.skipIf(!hasPostgres())('workers whose clocks are wrong', () => {
  let database: CrashDatabase;
  let ledger: Ledger;
  beforeEach(async () => {
    database = await createCrashDatabase();
    ledger = await startLedger();
  });
  afterEach(async () => {
    await ledger?.stop();
    await database?.drop();
  });

  function standWatch(name: string, clockShiftMs: number, workMs = 0): WorkerProcess {
    const url = new URL('workers/stand-watch.ts', import.meta.url);
    const args: StandWatchArgs = {
      url: database.url,
      ledgerUrl: ledger.url,
      name,
      leaseMs,
      workMs,
    };
    return spawnWorker(url, args, { clockShiftMs });
  }

  async function leave(worker: WorkerProcess): Promise<void> {
    worker.signal('SIGTERM');
    await worker.finished();
  }

  const handled = async () => (await ledger.entries()).map(({ eventId }) => eventId);
  const owner = async () => (await database.column('event_log_consumer', 'worker'))[0];
  const heartbeatMs = async () => {
    const epoch = 'extract(epoch FROM heartbeat_at) * 1000';
    return Number((await database.column('event_log_consumer', epoch))[0]);
  };

  async function expectEachOnce(count: number): Promise<void> {
    const effects = await database.column('movements', 'event_id');
    const applied = effects.map((eventId): LedgerEntry => {
      return { kind: 'applied', group: 'stock', eventId };
    });
    const { violations } = checkLedger([...(await ledger.entries()), ...applied], {
      groups: ['stock'],
      committed: idsUpTo(count),
      onceGroups: ['stock'],
    });
    expect(violations).toEqual([]);
  }

  it('do not take a group from an owner that is alive', async () => {
    await using slow = standWatch('ten minutes behind', -tenMinutesMs);
    await slow.message('ready');
    await waitUntil('the first one owns the group', async () => (await owner()) !== undefined);
    await using fast = standWatch('ten minutes ahead', tenMinutesMs);
    await fast.message('ready');

    const startedAtMs = await heartbeatMs();
    await fillLog(database, 20);
    await waitUntil('everything is handled', async () => (await handled()).length === 20);
    await waitUntil(
      'the lease was renewed for three times its length',
      async () => (await heartbeatMs()) - startedAtMs > 3 * leaseMs,
    );

    expect(await owner()).toBe('ten minutes behind');
    const workers = new Set((await ledger.entries()).map(({ worker }) => worker));
    expect(workers).toEqual(new Set(['ten minutes behind']));
    await leave(slow);
    await waitUntil('the other one has it', async () => (await owner()) === 'ten minutes ahead');
    await leave(fast);
    await expectEachOnce(20);
  });

  it('take over from an owner that is frozen, whose effect is refused when it thaws', async () => {
    await fillLog(database, 4);
    await using frozen = standWatch('ten minutes ahead', tenMinutesMs, 3_000);
    await frozen.message('working');
    frozen.signal('SIGSTOP');
    await using heir = standWatch('ten minutes behind', -tenMinutesMs);

    await heir.message('took-over');
    await waitUntil('everything is handled', async () => {
      return new Set(await handled()).size === 4;
    });
    frozen.signal('SIGCONT');
    await frozen.message('stale-refused');

    expect(await owner()).toBe('ten minutes behind');
    await leave(heir);
    await leave(frozen);
    await expectEachOnce(4);
  });

  it('do not take a redrive from each other before its lease has ended', async () => {
    const queue = new PostgresDeadLetterQueue({ client: database.client });
    await queue.redrive(await queue.add(deadLetterOf('e1')));
    const claim = async (worker: string, clockShiftMs: number, ms: number): Promise<number> => {
      const url = new URL('workers/claim.ts', import.meta.url);
      const args: ClaimArgs = { url: database.url, worker, leaseMs: ms };
      await using process = spawnWorker(url, args, { clockShiftMs });
      return (await process.message<{ count: number }>('claimed')).count;
    };

    expect(await claim('behind', -tenMinutesMs, 60_000)).toBe(1);
    expect(await claim('ahead', tenMinutesMs, 60_000)).toBe(0);
    await database.client.query('UPDATE event_dlq SET claim_until = clock_timestamp()');
    expect(await claim('behind', -tenMinutesMs, 60_000)).toBe(1);
  });
});
