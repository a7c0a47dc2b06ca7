import { checkLedger, spawnWorker, startLedger, sweep } from '@waybill/testing';
import type {
  Ledger,
  LedgerEntry,
  LedgerEntryKind,
  LedgerVerdict,
  SweptWorld,
} from '@waybill/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { createCrashDatabase } from './support/crash-database.ts';
import { fillLog } from './support/fill-log.ts';
import { dependsOnTimer, sweepTimeoutMs } from './support/sweeping.ts';
import { idsUpTo } from './support/test-events.ts';
import type { ConsumeArgs } from './workers/consume.ts';

const worker = new URL('workers/consume.ts', import.meta.url);
const count = 2;

describe.skipIf(!hasPostgres())('a consumer that is killed at any write', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await startLedger();
  });
  afterAll(() => ledger?.stop());

  /** @param told Hears the verdict on each world, whose promises all held. */
  async function consumeWorld(
    handler: ConsumeArgs['handler'],
    told: (verdict: LedgerVerdict) => void,
  ): Promise<SweptWorld> {
    const database = await createCrashDatabase();
    await fillLog(database, count);
    const { length: before } = await ledger.entries();
    const entries = async (): Promise<LedgerEntry[]> => (await ledger.entries()).slice(before);
    const found = async (kind: LedgerEntryKind, ids: Promise<string[]>): Promise<LedgerEntry[]> =>
      (await ids).map((eventId) => ({ kind, group: 'stock', eventId }));
    let handledBeforeDeath = 0;
    return {
      start(plan) {
        const args: ConsumeArgs = { url: database.url, ledgerUrl: ledger.url, plan, handler };
        return spawnWorker(worker, args);
      },
      async checkAfterDeath() {
        handledBeforeDeath = (await entries()).length;
      },
      async check() {
        const all = await Promise.all([
          entries(),
          found('applied', database.column('movements', 'event_id')),
          found('dead-lettered', database.column('event_dlq', 'original_event_id')),
        ]);
        const verdict = checkLedger(all.flat(), {
          groups: ['stock'],
          committed: idsUpTo(count),
          onceGroups: handler === 'inbox' ? ['stock'] : [],
          maxDuplicates: handledBeforeDeath,
        });
        expect(verdict.violations).toEqual([]);
        told(verdict);
        const deadLetters = await database.column('event_dlq', 'original_event_id');
        expect(deadLetters).toEqual(handler === 'failing' ? idsUpTo(count) : []);
      },
      close: () => database.drop(),
    };
  }

  /** Sweeps a handler. @returns What was survived, and the most repeated runs of one world. */
  async function sweepHandler(
    handler: ConsumeArgs['handler'],
  ): Promise<{ survived: readonly string[]; mostRepeats: number }> {
    const repeats: number[] = [];
    const told = ({ duplicates }: LedgerVerdict): void => void repeats.push(duplicates.size);
    const world = () => consumeWorld(handler, told);
    const { survived } = await sweep({ world, mayBeMissed: dependsOnTimer });
    return { survived, mostRepeats: Math.max(...repeats) };
  }

  it('has each effect exactly once with an inbox', { timeout: sweepTimeoutMs }, async () => {
    const { survived, mostRepeats } = await sweepHandler('inbox');

    expect(survived).toEqual(
      expect.arrayContaining([
        'before INSERT movements',
        'before COMMIT (LOCK event_log_consumer, INSERT inbox, INSERT movements)',
        'after COMMIT (LOCK event_log_consumer, INSERT inbox, INSERT movements)',
        'before settle item.received',
        'after settle item.received',
      ]),
    );
    expect(mostRepeats).toBeGreaterThan(0);
  });

  it(
    'repeats no effect but those it had not acknowledged without an inbox',
    { timeout: sweepTimeoutMs },
    async () => {
      const { survived, mostRepeats } = await sweepHandler('plain');

      expect(survived).toEqual(
        expect.arrayContaining([
          'before INSERT movements',
          'after INSERT movements',
          'before settle item.received',
          'after settle item.received',
        ]),
      );
      expect(mostRepeats).toBeGreaterThan(0);
    },
  );

  it('leaves one dead letter of each event that fails', { timeout: sweepTimeoutMs }, async () => {
    const { survived } = await sweepHandler('failing');

    expect(survived).toEqual(
      expect.arrayContaining([
        'before INSERT event_dlq',
        'after INSERT event_dlq',
        'before settle item.received',
        'after settle item.received',
      ]),
    );
  });
});
