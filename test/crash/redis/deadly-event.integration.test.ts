import { RedisDeadLetterQueue } from '@waybill/redis';
import { checkLedger, spawnWorker, startLedger } from '@waybill/testing';
import type { Ledger, LedgerEntry } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { idsUpTo } from '../support/test-events.ts';
import { loneDraftOf, StreamPlace } from './support/stream-place.ts';
import type { ConsumeStreamsArgs } from './workers/consume-streams.ts';

const maxDeliveries = 3;
const count = 12;
/** Short, since whoever follows on a process that died has to wait for it; within two, neighbours must end. */
const claimMs = 1_000;

describe.skipIf(!hasRedis())(
  'an event on a stream that kills every process that handles it',
  { concurrent: true },
  () => {
    /** Starts one process after the other until one survives. @returns How many did not. */
    async function deathsUntilDone(
      place: StreamPlace,
      ledger: Ledger,
      deadly: readonly string[],
    ): Promise<number> {
      const limit = deadly.length * maxDeliveries;
      for (let deaths = 0; deaths <= limit; deaths += 1) {
        const { redisUrl, prefix } = place;
        const where = { redisUrl, prefix, ledgerUrl: ledger.url };
        const run = { name: `worker-${deaths}`, claimMs, until: 'caught-up' } as const;
        // Several at once and slow, so that neighbours are in the middle of their work at every death that
        // they are near to.
        const load = { deadly, workMs: 150, concurrency: 4, maxInFlight: 8, maxDeliveries };
        const args: ConsumeStreamsArgs = { ...where, ...run, ...load };
        await using worker = spawnWorker(
          new URL('workers/consume-streams.ts', import.meta.url),
          args,
        );
        const { signal } = await worker.ended();
        if (signal === null) {
          await worker.finished();
          return deaths;
        }
        await worker.killed('SIGKILL');
      }
      throw new Error(`more than ${limit} processes have died`);
    }

    async function expectDeadLettersOf(deadly: readonly string[]): Promise<number> {
      await using place = new StreamPlace();
      await using ledger = await startLedger();
      await place.fill(count, loneDraftOf);
      const deaths = await deathsUntilDone(place, ledger, deadly);

      const queue = new RedisDeadLetterQueue({
        redis: place.redis,
        streamPrefix: place.prefix,
      });
      const deadLetters = await queue.list();
      expect(deadLetters.map(({ eventId }) => eventId).toSorted()).toEqual(deadly);
      for (const { errorCode, totalAttempts } of deadLetters) {
        expect({ errorCode, totalAttempts }).toEqual({
          errorCode: 'DELIVERIES_EXCEEDED',
          totalAttempts: maxDeliveries + 1,
        });
      }
      const found = deadLetters.map(({ eventId = '' }): LedgerEntry => {
        return { kind: 'dead-lettered', group: 'stock', eventId };
      });
      const entries = await ledger.entries();
      const { violations } = checkLedger([...entries, ...found], {
        groups: ['stock'],
        committed: idsUpTo(count),
      });
      expect(violations).toEqual([]);
      for (const { delivery } of entries) expect(delivery).toBeLessThanOrEqual(maxDeliveries);
      expect(await place.pending('stock')).toEqual([]);
      return deaths;
    }

    it('is a dead letter after so many deaths, and its neighbours are handled', async () => {
      expect(await expectDeadLettersOf(['e3'])).toBe(maxDeliveries);
    });

    it('is found among its neighbours when one of those is deadly too', async () => {
      const deaths = await expectDeadLettersOf(['e2', 'e6']);
      expect(deaths).toBeGreaterThan(maxDeliveries);
      expect(deaths).toBeLessThanOrEqual(2 * maxDeliveries);
    });
  },
);
