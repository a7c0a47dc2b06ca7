import { Subscriber, type Observation } from '@waybill/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import {
  dayMs,
  numbered,
  PruningGroup,
  record,
  recorded,
  untilRecorded,
  waiting,
} from '../../test/prune-bench.ts';
import { describePruning } from '../../test/prune-cases.ts';
import { watchedClient, type Watch } from '../../test/watched-client.ts';
import { PostgresEventBus } from '../bus/postgres-event-bus.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import { pruneLock } from './locked-batch.ts';

describe.skipIf(!hasPostgres())('pruning on PostgreSQL', () => {
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

  describePruning('a server', () => client);

  describe('by several processes', () => {
    const open: SqlClient[] = [];
    const groups: PruningGroup[] = [];
    beforeEach(() => client.query('TRUNCATE inbox, event_dlq, event_handover'));
    afterEach(async () => {
      await Promise.all(groups.splice(0).map((group) => group.stop()));
      await Promise.all(open.splice(0).map((each) => each.close()));
    });

    /** A group in another process, as far as a database can tell. */
    async function elsewhere(prune = {}, watch: Watch = (_, run) => run()): Promise<PruningGroup> {
      const own = openPostgres({ connectionString: database.url });
      open.push(own);
      const group = await PruningGroup.start(watchedClient(own, watch), prune);
      groups.push(group);
      return group;
    }

    it('is done by one at a time, and each row is deleted once', async () => {
      let [deleting, most] = [0, 0];
      const counted: Watch = async (text, run) => {
        if (!text.includes('DELETE FROM')) return await run();
        most = Math.max(most, (deleting += 1));
        try {
          return await run();
        } finally {
          deleting -= 1;
        }
      };
      await record(client, numbered('old', 2_000), 31 * dayMs);
      const all = await Promise.all([1, 2, 3].map(() => elsewhere({ batchRows: 20 }, counted)));
      await untilRecorded(client, []);
      await vi.waitFor(() => {
        expect(all.reduce((sum, group) => sum + group.count('inbox'), 0)).toBe(2_000);
      }, waiting);
      expect(most).toBe(1);
      expect(all.flatMap(({ observed }) => observed.map(({ kind }) => kind))).not.toContain(
        'prune-failed',
      );
    });

    it('waits while another process has the lock, and gets on when that is gone', async () => {
      await record(client, ['old'], 31 * dayMs);
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const { promise: held, resolve: hold } = Promise.withResolvers<void>();
      const holding = client.run(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock($1)', [pruneLock('public')]);
        hold();
        await released;
      });
      await held;
      let looked = 0;
      const group = await elsewhere({}, (text, run) => {
        if (text.includes('pg_try_advisory_xact_lock')) looked += 1;
        return run();
      });
      await vi.waitFor(() => expect(looked).toBeGreaterThan(3), waiting);
      expect(await recorded(client)).toEqual(['old']);
      expect(group.subscriber.health().status).toBe('ok');
      release();
      await holding;
      await untilRecorded(client, []);
    });

    it('leaves rows that a transaction has locked for later, and waits for none', async () => {
      await record(client, ['locked', 'old'], 31 * dayMs);
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const { promise: held, resolve: hold } = Promise.withResolvers<void>();
      const holding = client.run(async (tx) => {
        await tx.query(`SELECT FROM inbox WHERE event_id = 'locked' FOR UPDATE`);
        hold();
        await released;
      });
      await held;
      await elsewhere();
      await untilRecorded(client, ['locked']);
      release();
      await holding;
      await vi.waitFor(async () => expect(await recorded(client)).toEqual([]), waiting);
    });
  });

  describe('of a group of the log', () => {
    beforeEach(() => client.query('TRUNCATE inbox, event_dlq, event_handover'));

    it('keeps what was recorded since the oldest event that the group has not finished', async () => {
      const observed: Observation[] = [];
      const bus = new PostgresEventBus({
        serviceName: 'billing',
        client,
        prune: { everyMs: 20 },
        consumers: { random: () => 0 },
        observer: (seen) => void observed.push(seen),
      });
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const subscriber = new Subscriber(bus, { group: 'billing' });
      subscriber.on('order.*', async () => {
        begin();
        await released;
      });
      try {
        await bus.connect();
        await bus.publish(placed('stuck'));
        await client.query(`UPDATE event_log SET appended_at = now() - interval '40 days'`);
        await record(client, ['stuck'], 39.9 * dayMs);
        await record(client, ['before'], 40.5 * dayMs);
        await subscriber.start();
        await begun;
        await untilRecorded(client, ['stuck']);
        release();
        await untilRecorded(client, []);
        expect(observed.map(({ kind }) => kind)).not.toContain('prune-failed');
      } finally {
        release();
        await bus.shutdown();
      }
    });

    it('can be told otherwise, also by a subscriber of the bus', async () => {
      const bus = new PostgresEventBus({ serviceName: 'billing', client, prune: false });
      await record(client, ['kept'], 90 * dayMs);
      const subscriber = new Subscriber(bus, { group: 'billing', random: () => 0 });
      subscriber.on('order.*', () => {});
      await subscriber.start();
      const other = await PruningGroup.start(client, {}, { group: 'shipping' });
      await record(client, ['b'], 90 * dayMs, 'shipping');
      await untilRecorded(client, [], 'shipping');
      expect(await recorded(client)).toEqual(['kept']);
      await Promise.all([other.stop(), bus.shutdown()]);
    });
  });
});

function placed(id: string) {
  return {
    id,
    source: 'orders',
    specversion: '1.0' as const,
    type: 'order.placed',
    datacontenttype: 'application/json',
    time: '2026-03-01T12:00:00.000Z',
    version: 1,
    data: {},
  };
}
