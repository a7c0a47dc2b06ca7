import type { HandoverClaim, NewHandover } from '@waybill/core/adapter';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import { PostgresHandoverQueue } from './handover-queue.ts';

const kind = { handler: 'book', eventType: 'order.placed', eventVersion: 1 };
const waiting = { timeout: 20_000, interval: 20 };
const long = 60_000;

function handover(eventId: string, key: string): NewHandover {
  const message = { id: eventId, type: kind.eventType, key, contentType: 'text/plain', body: 'x' };
  const coordinates = { transport: 'test', stream: 'orders', position: '1' };
  const origin = { group: 'billing', source: 'orders', derived: false };
  return { ...kind, ...origin, eventId, coordinates, message };
}

describe.skipIf(!hasPostgres())('several processes that take handovers on PostgreSQL', () => {
  let database: TestDatabase;
  let client: SqlClient;
  let others: SqlClient[];
  let queues: PostgresHandoverQueue[];
  beforeAll(async () => {
    database = await createTestDatabase();
    const { url: connectionString } = database;
    client = openPostgres({ connectionString });
    await migrate(client);
    others = Array.from({ length: 6 }, () => openPostgres({ connectionString, maxConnections: 1 }));
    queues = others.map((other) => new PostgresHandoverQueue({ client: other }));
  });
  afterAll(async () => {
    await Promise.all((others ?? []).map((other) => other.close()));
    await client?.close();
    await database?.drop();
  });
  beforeEach(() => client.query('DELETE FROM event_handover'));

  const take = (at: number, limit: number, leaseMs: number = long): Promise<HandoverClaim[]> =>
    queues[at]!.claim('billing', { kinds: [kind], limit, leaseMs, worker: `worker-${at}` });
  /** Waits until as many statements wait for somebody else's lock. */
  const untilBlocked = async (count: number): Promise<void> =>
    await vi.waitFor(async () => {
      const { rows } = await client.query<{ blocked: bigint }>(
        `SELECT count(*) AS blocked FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(Number(rows[0]!.blocked)).toBe(count);
    }, waiting);

  it('never have one key at the same time, and lose nothing, whatever they do at once', async () => {
    const keys = ['order-1', 'order-2', 'order-3'];
    const rows = Array.from({ length: 60 }, (_, at) => handover(`e-${at}`, keys[at % 3]!));
    await queues[0]!.add(rows);
    const holders = new Map<string, number>();
    const done: string[] = [];
    const work = async (at: number): Promise<void> => {
      while (done.length < rows.length) {
        const claims = await take(at, 3);
        for (const { handover: taken } of claims) {
          const { key } = taken.message;
          expect([undefined, at]).toContain(holders.get(key));
          holders.set(key, at);
        }
        for (const { handover: taken } of claims) done.push(taken.eventId);
        for (const key of new Set(claims.map((each) => each.handover.message.key))) {
          holders.delete(key);
        }
        for (const each of claims) expect(await queues[at]!.settle(each)).toBe(true);
      }
    };
    await Promise.all(queues.map((_, at) => work(at)));
    expect(done.toSorted()).toEqual(rows.map(({ eventId }) => eventId).toSorted());
    for (const key of keys) {
      const ofKey = rows.filter(({ message }) => message.key === key).map((row) => row.eventId);
      expect(done.filter((id) => ofKey.includes(id))).toEqual(ofKey);
    }
  });

  it('leave a key to its worker while that one renews a claim that has lapsed', async () => {
    await queues[0]!.add([handover('e-1', 'order-1'), handover('e-2', 'order-1')]);
    const [first, second] = await take(0, 2, 1);
    const renewed = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const renewing = others[0]!.run(async (tx) => {
      await tx.query(
        `UPDATE event_handover SET claim_until = clock_timestamp() + interval '1 minute'
         WHERE event_id = 'e-2'`,
      );
      renewed.resolve();
      await commit.promise;
    });
    await renewed.promise;
    const taking = take(1, 1);
    await untilBlocked(1);
    commit.resolve();
    await renewing;
    expect(await taking).toEqual([]);
    expect(await queues[0]!.renew(second!, long)).toBe(true);
    expect(await queues[0]!.settle(first!)).toBe(true);
  });

  it('take a claim from its worker for good where that one renews it too late', async () => {
    await queues[0]!.add([handover('e-1', 'order-1'), handover('e-2', 'order-1')]);
    const [, second] = await take(0, 2, 1);
    const hold = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holding = others[2]!.run(async (tx) => {
      // The one that takes is stopped in the middle, with everything that has lapsed locked but this.
      await tx.query(`SELECT FROM event_handover WHERE event_id = 'e-1' FOR UPDATE`);
      held.resolve();
      await hold.promise;
    });
    await held.promise;
    const taking = take(1, 1);
    await untilBlocked(1);
    hold.resolve();
    await holding;
    const [current] = await taking;
    expect(current!.handover.eventId).toBe('e-1');
    expect(await queues[0]!.renew(second!, long)).toBe(false);
    expect(await queues[1]!.settle(current!)).toBe(true);
  });
});
