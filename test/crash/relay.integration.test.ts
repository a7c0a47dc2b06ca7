import { spawnWorker, sweep } from '@waybill/testing';
import type { SweptWorld } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { createCrashDatabase, type CrashDatabase } from './support/crash-database.ts';
import { publishAll } from './support/publish-all.ts';
import { dependsOnTimer, sweepTimeoutMs } from './support/sweeping.ts';
import { draftOf, idsUpTo } from './support/test-events.ts';

const worker = new URL('workers/relay.ts', import.meta.url);
/** Two batches of the first key and one of the second. */
const count = 5;
const batchSize = 2;

async function relayWorld(onRepeats: (count: number) => void): Promise<SweptWorld> {
  const database = await createCrashDatabase();
  await publishAll(database, count);
  const ids = (table: string) => database.column(table, 'event_id');
  /** In the log, and not forgotten by the outbox when the relay died. */
  let toRepeat = 0;
  return {
    start: (plan) => spawnWorker(worker, { url: database.url, plan, batchSize }),
    async checkAfterDeath() {
      const waiting = await ids('outbox');
      toRepeat = (await ids('event_log')).filter((id) => waiting.includes(id)).length;
      expect(toRepeat).toBeLessThanOrEqual(batchSize);
      onRepeats(toRepeat);
    },
    async check() {
      const log = await ids('event_log');
      expect([...new Set(log)]).toEqual(idsUpTo(count));
      expect(log).toHaveLength(count + toRepeat);
      await expectKeysInOrder(database);
    },
    close: () => database.drop(),
  };
}

/** The first time that each event of a key is in the log. */
async function expectKeysInOrder(database: CrashDatabase): Promise<void> {
  const ids = await database.column('event_log', 'event_id', 'partition, log_offset');
  const firsts = [...new Set(ids)];
  const byKey = Map.groupBy(firsts, (id) => draftOf(Number(id.slice(1))).subject);
  for (const ofKey of byKey.values()) expect(ofKey).toEqual(ofKey.toSorted());
}

describe.skipIf(!hasPostgres())('a relay that is killed at any write', () => {
  it(
    'publishes everything in order, and repeats no more than the batch it was in',
    { timeout: sweepTimeoutMs },
    async () => {
      const repeats: number[] = [];
      const { survived } = await sweep({
        world: () => relayWorld((batch) => repeats.push(batch)),
        mayBeMissed: dependsOnTimer,
      });

      expect(survived).toEqual(
        expect.arrayContaining([
          'before publish item.received',
          'after publish item.received',
          'before COMMIT (DELETE outbox)',
          'after COMMIT (DELETE outbox)',
        ]),
      );
      expect(repeats).toContain(0);
      expect(repeats).toContain(batchSize);
    },
  );
});
