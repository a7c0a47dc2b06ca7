import { checkLedger, spawnWorker, startLedger, sweep } from '@waybill/testing';
import type { Ledger, RecordedEntry, SweptWorld } from '@waybill/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { createCrashDatabase } from './support/crash-database.ts';
import { sweepTimeoutMs } from './support/sweeping.ts';
import { idsUpTo } from './support/test-events.ts';

const worker = new URL('workers/publish.ts', import.meta.url);
const count = 2;
const all = idsUpTo(count);

describe.skipIf(!hasPostgres())('a publisher that is killed at any write', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await startLedger();
  });
  afterAll(() => ledger?.stop());

  /** What was reported in this world: the ledger serves all of them. */
  async function entriesAfter(before: number): Promise<RecordedEntry[]> {
    return (await ledger.entries()).slice(before);
  }

  async function publishWorld(ownTransaction: boolean): Promise<SweptWorld> {
    const database = await createCrashDatabase();
    const { length: before } = await ledger.entries();
    const ids = (table: string) => database.column(table, 'event_id');
    return {
      start(plan) {
        const { url } = database;
        return spawnWorker(worker, { url, ledgerUrl: ledger.url, plan, count, ownTransaction });
      },
      async checkAfterDeath() {
        const committed = await ids('event_store');
        const outbox = await ids('outbox');
        expect(outbox).toEqual(committed);
        if (ownTransaction) expect(await ids('receipts')).toEqual(committed);
        const published = (await entriesAfter(before)).filter(({ kind }) => kind === 'published');
        expect(committed).toEqual(expect.arrayContaining(published.map(({ eventId }) => eventId)));
      },
      async check() {
        const committed = await ids('event_store');
        expect(committed).toEqual(all);
        expect([...new Set(await ids('outbox'))]).toEqual(all);
        if (ownTransaction) expect(await ids('receipts')).toEqual(all);
        if (ownTransaction) expect(await ids('outbox')).toEqual(all);
        const verdict = checkLedger(await entriesAfter(before), { groups: [], committed });
        expect(verdict.violations).toEqual([]);
      },
      close: () => database.drop(),
    };
  }

  it(
    'has published what its transactions have committed, and nothing else',
    { timeout: sweepTimeoutMs },
    async () => {
      const { survived } = await sweep({ world: () => publishWorld(true) });

      expect(survived).toEqual(
        expect.arrayContaining([
          'before COMMIT (INSERT receipts, INSERT event_store, INSERT outbox)',
          'after COMMIT (INSERT receipts, INSERT event_store, INSERT outbox)',
        ]),
      );
    },
  );

  it(
    'has stored what it was to publish, and repeats it with the same id',
    { timeout: sweepTimeoutMs },
    async () => {
      const { survived } = await sweep({ world: () => publishWorld(false) });

      expect(survived).toEqual(
        expect.arrayContaining([
          'before COMMIT (INSERT event_store, INSERT outbox)',
          'after COMMIT (INSERT event_store, INSERT outbox)',
        ]),
      );
    },
  );
});
