import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { PostgresDeadLetterQueue } from './dead-letter-queue.ts';
import { PostgresInbox } from './inbox.ts';
import { migrate } from '../migrate/migrate.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient } from '../client/sql-client.ts';

/** Less than the lock time-out of the one that waits. */
const waiting = { timeout: 14_000, interval: 20 };

describe.skipIf(!hasPostgres())('several processes that meet at one event on PostgreSQL', () => {
  let database: TestDatabase;
  let client: SqlClient;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await migrate(client);
  });
  afterAll(async () => {
    await client?.close();
    await database?.drop();
  });

  const key = { group: 'billing', handler: 'book', source: 'orders', id: 'event-1' };

  it('leave the lock time-out of the handler as it was', async () => {
    const inbox = new PostgresInbox({ client, lockTimeoutMs: 50 });
    await client.run(
      async (tx) => {
        const timeouts: string[] = [];
        const look = async (): Promise<void> => {
          const { rows } = await tx.query<{ lock_timeout: string }>('SHOW lock_timeout');
          timeouts.push(rows[0]!.lock_timeout);
        };
        await look();
        expect(await inbox.record({ ...key, id: 'event-2' }, tx)).toBe(true);
        await look();
        expect(await inbox.record({ ...key, id: 'event-2' }, tx)).toBe(false);
        await look();
        expect(timeouts).toEqual(['12s', '12s', '12s']);
      },
      { lockTimeoutMs: 12_000 },
    );
  });

  it('let the one that waited go on when the other has rolled back', async () => {
    const inbox = new PostgresInbox({ client, lockTimeoutMs: 15_000 });
    const { promise: ended, reject: rollBack } = Promise.withResolvers<never>();
    const { promise: recorded, resolve: record } = Promise.withResolvers<void>();
    const first = client.run(async (tx) => {
      await inbox.record(key, tx);
      record();
      await ended;
    });
    await recorded;
    const second = client.run((tx) => inbox.record(key, tx));
    await vi.waitFor(async () => {
      const { rows } = await client.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'inbox'
         AND datname = current_database()`,
      );
      expect(rows).toHaveLength(1);
    }, waiting);
    rollBack(new Error('the handler failed'));
    await expect(first).rejects.toThrow('the handler failed');
    expect(await second).toBe(true);
  });

  it('make one dead letter of one message, with the attempts of all of them', async () => {
    const workers = [1, 2, 3].map(() => openPostgres({ connectionString: database.url }));
    const coordinates = { transport: 'redis', stream: 'item', position: '1-0' };
    const broken = { id: '1', type: 'order.placed', key: 'order-1', contentType: 'text/plain' };
    const ids = await Promise.all(
      workers.map((own, index) =>
        new PostgresDeadLetterQueue({ client: own }).add({
          group: 'billing',
          handler: '',
          coordinates,
          message: { ...broken, body: 'no JSON' },
          failureReason: `failed in worker ${index}`,
          failureType: 'permanent',
          totalAttempts: index + 1,
          fingerprint: 'f-1',
        }),
      ),
    );
    expect(new Set(ids).size).toBe(1);
    const queue = new PostgresDeadLetterQueue({ client });
    expect(await queue.list()).toMatchObject([{ id: ids[0], totalAttempts: 6 }]);
    await Promise.all(workers.map((own) => own.close()));
  });
});
