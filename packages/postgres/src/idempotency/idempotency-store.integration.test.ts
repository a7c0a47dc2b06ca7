import { systemClock } from '@waybill/core';
import { spawnWorker } from '@waybill/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { PostgresIdempotencyStore } from './idempotency-store.ts';
import { migrate } from '../migrate/migrate.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient } from '../client/sql-client.ts';

const worker = new URL('../../test/claiming-worker.ts', import.meta.url);
const tenMinutesMs = 600_000;
/** Longer than these tests take on any machine, and shorter than a clock is off. */
const longMs = 300_000;

describe.skipIf(!hasPostgres())('claims of several processes', () => {
  let database: TestDatabase;
  let client: SqlClient;
  let store: PostgresIdempotencyStore;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await migrate(client);
    store = new PostgresIdempotencyStore({ client });
  });
  afterAll(async () => {
    await client?.close();
    await database?.drop();
  });

  async function claimElsewhere(key: string, claimMs: number, clockShiftMs = 0): Promise<string> {
    const args = { connectionString: database.url, key, claimMs };
    await using other = spawnWorker(worker, args, { clockShiftMs });
    const { status } = await other.message<{ status: string }>('answer');
    await other.kill();
    return status;
  }

  it.each([
    ['ahead', tenMinutesMs],
    ['behind', -tenMinutesMs],
  ])(
    'are neither stolen nor prolonged by a clock that is ten minutes %s',
    async (name, shiftMs) => {
      const mine = `held against ${name}`;
      await store.claim(mine, { operation: 'charge', claimMs: longMs });
      expect(await claimElsewhere(mine, longMs, shiftMs)).toBe('held');

      const theirs = `held by ${name}`;
      expect(await claimElsewhere(theirs, longMs, shiftMs)).toBe('claimed');
      expect((await store.claim(theirs, { operation: 'charge', claimMs: longMs })).status).toBe(
        'held',
      );
      const brief = `held briefly by ${name}`;
      expect(await claimElsewhere(brief, 300, shiftMs)).toBe('claimed');
      await untilFree(brief);
    },
  );

  it('go to the next caller after their holder was killed, long before a result would be forgotten', async () => {
    expect(await claimElsewhere('orphan', 300)).toBe('claimed');
    await untilFree('orphan');
  });

  it('leave a row that the printed statements understand', async () => {
    const claim = await store.claim('row', { operation: 'charge', claimMs: longMs });
    const token = claim.status === 'claimed' ? claim.token : '';
    const read = async (): Promise<unknown> =>
      (
        await client.query(`SELECT operation, status, result, error, expires_at > created_at AS lives
          FROM idempotency_keys WHERE idempotency_key = 'row'`)
      ).rows[0];
    expect(await read()).toEqual({
      operation: 'charge',
      status: 'processing',
      result: null,
      error: null,
      lives: true,
    });
    await store.complete('row', token, { charge: 'ch_1' }, longMs);
    expect(await read()).toMatchObject({ status: 'completed', result: { charge: 'ch_1' } });
    const { rows } = await client.query('SELECT cleanup_expired_idempotency_keys() AS deleted');
    expect(rows).toEqual([{ deleted: 0 }]);
  });

  it('respect rows that were written without a token', async () => {
    await client.query(`INSERT INTO idempotency_keys VALUES
      ('foreign', 'charge', 'processing', NULL, NULL, now(), now() + interval '1 hour'),
      ('expired', 'charge', 'processing', NULL, NULL, now(), now() - interval '1 second')`);
    const claim = { operation: 'charge', claimMs: 1_000 };
    expect(await store.claim('foreign', claim)).toEqual({ status: 'held' });
    expect((await store.claim('expired', claim)).status).toBe('claimed');
  });

  it('refuse a time that is none, and a key that does not fit', async () => {
    for (const claimMs of [0, -1, Number.NaN, Infinity]) {
      await expect(store.claim('k', { operation: 'o', claimMs })).rejects.toThrow(TypeError);
    }
    const long = store.claim('k'.repeat(256), { operation: 'o', claimMs: 1 });
    await expect(long).rejects.toMatchObject({
      code: 'STORE_REJECTED',
      details: { sqlState: '22001' },
    });
  });

  async function untilFree(key: string): Promise<void> {
    const deadlineMs = systemClock.now() + 20_000;
    while ((await store.claim(key, { operation: 'charge', claimMs: longMs })).status === 'held') {
      if (systemClock.now() > deadlineMs) throw new Error(`${key} was never freed`);
      await systemClock.sleep(50);
    }
  }
});
