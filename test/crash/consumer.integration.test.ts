import { checkLedger, spawnWorker, startLedger, sweep } from '@waybill/testing';
import type { Ledger, LedgerEntry, LedgerVerdict, SweptWorld } from '@waybill/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { createCrashDatabase } from './support/crash-database.ts';
import { fillLog } from './support/fill-log.ts';
import { idsUpTo } from './support/test-events.ts';

const worker = new URL('workers/consume.ts', import.meta.url);
const count = 2;

/** How often the watermark is written depends on the time between two settlements. */
const mayBeMissed = (point: string) => /^UPDATE event_log_group #/.test(point);

describe.skipIf(!hasPostgres())('a consumer that is killed at any write', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await startLedger();
  });
  afterAll(() => ledger?.stop());

  /** @param told Hears the verdict on each world, whose promises all held. */
  async function consumeWorld(
    inbox: boolean,
    told: (verdict: LedgerVerdict) => void,
  ): Promise<SweptWorld> {
    const database = await createCrashDatabase();
    await fillLog(database, count);
    const { length: before } = await ledger.entries();
    const entries = async (): Promise<LedgerEntry[]> => (await ledger.entries()).slice(before);
    let handledBeforeDeath = 0;
    return {
      start(plan) {
        return spawnWorker(worker, { url: database.url, ledgerUrl: ledger.url, plan, inbox });
      },
      async checkAfterDeath() {
        handledBeforeDeath = (await entries()).length;
      },
      async check() {
        const effects = await database.column('movements', 'event_id', 'row_id');
        const applied = effects.map((eventId): LedgerEntry => ({
          kind: 'applied',
          group: 'stock',
          eventId,
        }));
        const verdict = checkLedger([...(await entries()), ...applied], {
          groups: ['stock'],
          committed: idsUpTo(count),
          onceGroups: inbox ? ['stock'] : [],
          maxDuplicates: handledBeforeDeath,
        });
        expect(verdict.violations).toEqual([]);
        expect(await database.column('event_dlq', 'original_event_id')).toEqual([]);
        told(verdict);
      },
      close: () => database.drop(),
    };
  }

  it('has each effect exactly once with an inbox', async () => {
    const repeatedRuns: number[] = [];
    const { survived } = await sweep({
      mayBeMissed,
      world: () => consumeWorld(true, ({ duplicates }) => repeatedRuns.push(duplicates.size)),
    });

    expect(survived).toEqual(
      expect.arrayContaining([
        'before INSERT movements',
        'before COMMIT (LOCK event_log_consumer, INSERT inbox, INSERT movements)',
        'after COMMIT (LOCK event_log_consumer, INSERT inbox, INSERT movements)',
        'before settle item.received',
        'after settle item.received',
      ]),
    );
    expect(Math.max(...repeatedRuns)).toBeGreaterThan(0);
  });

  it('repeats no effect but those it had not acknowledged without an inbox', async () => {
    const repeatedRuns: number[] = [];
    const { survived } = await sweep({
      mayBeMissed,
      world: () => consumeWorld(false, ({ duplicates }) => repeatedRuns.push(duplicates.size)),
    });

    expect(survived).toEqual(
      expect.arrayContaining([
        'before INSERT movements',
        'after INSERT movements',
        'before settle item.received',
        'after settle item.received',
      ]),
    );
    expect(Math.max(...repeatedRuns)).toBeGreaterThan(0);
  });
});
