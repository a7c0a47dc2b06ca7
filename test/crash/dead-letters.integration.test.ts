import { PostgresDeadLetterQueue } from '@waybill/postgres';
import { spawnWorker } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { createCrashDatabase } from './support/crash-database.ts';
import type { DeadLetterArgs } from './workers/dead-letter.ts';

describe.skipIf(!hasPostgres())('one message that several workers dead-letter at once', () => {
  it('is one entry that has all their attempts', async () => {
    await using database = await createCrashDatabase();
    const args: DeadLetterArgs = { url: database.url, times: 20 };
    const workers = [1, 2, 3].map(() =>
      spawnWorker(new URL('workers/dead-letter.ts', import.meta.url), args),
    );

    await database.client.run(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock(1)');
      await waitUntil('all workers wait', async () => {
        const { rows } = await tx.query<{ waiting: bigint }>(
          `SELECT count(*) AS waiting FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
        return rows[0]!.waiting === 3n;
      });
    });
    const recorded = await Promise.all(
      workers.map((worker) => worker.message<{ ids: string[] }>('recorded')),
    );
    await Promise.all(workers.map((worker) => worker.finished()));

    const entries = await new PostgresDeadLetterQueue({ client: database.client }).list();
    expect(entries).toMatchObject([{ eventId: 'e1', totalAttempts: 60, status: 'pending' }]);
    expect(new Set(recorded.flatMap(({ ids }) => ids))).toEqual(new Set([entries[0]!.id]));
  });
});
