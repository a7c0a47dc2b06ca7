import { spawnWorker, startLedger } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { createCrashDatabase } from './support/crash-database.ts';
import { deadLettersIn, verdictOn } from './support/effects.ts';
import { fillLog } from './support/fill-log.ts';
import type { ConsumeArgs } from './workers/consume.ts';

const maxDeliveries = 3;
const count = 6;

describe.skipIf(!hasPostgres())('an event that kills every process that handles it', () => {
  it('is a dead letter after so many deliveries, and the others are handled', async () => {
    await using database = await createCrashDatabase();
    await using ledger = await startLedger();
    await fillLog(database, count);
    const args: ConsumeArgs = {
      url: database.url,
      ledgerUrl: ledger.url,
      handler: 'deadly',
      maxDeliveries,
    };
    const worker = () => spawnWorker(new URL('workers/consume.ts', import.meta.url), args);

    for (let deaths = 0; deaths < maxDeliveries; deaths += 1) {
      await using doomed = worker();
      await doomed.killed('SIGKILL');
    }
    await using survivor = worker();
    await survivor.finished();

    expect(await deadLettersIn(database)).toEqual(['e1']);
    expect(await database.column('event_dlq', 'error_code')).toEqual(['DELIVERIES_EXCEEDED']);
    expect(await database.column('event_dlq', 'total_attempts')).toEqual([maxDeliveries + 1]);
    expect((await verdictOn(database, ledger, count)).violations).toEqual([]);
  });
});
