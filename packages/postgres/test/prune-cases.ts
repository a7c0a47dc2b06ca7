import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { SqlClient } from '../src/client/sql-client.ts';
import { PostgresIdempotencyStore } from '../src/idempotency/idempotency-store.ts';
import type { PruneOptions } from '../src/prune/prune-options.ts';
import {
  addDeadLetter,
  addHandover,
  dayMs,
  numbered,
  PruningGroup,
  record,
  recorded,
  untilRecorded,
  waiting,
} from './prune-bench.ts';
import { watchedClient } from './watched-client.ts';

/** What pruning does on any database. @param database Migrated, and one at a time. */
export function describePruning(name: string, database: () => SqlClient): void {
  describe(`pruning on ${name}`, () => {
    let client: SqlClient;
    const groups: PruningGroup[] = [];
    beforeEach(async () => {
      client = database();
      await client.query(
        'TRUNCATE inbox, event_dlq, event_handover, idempotency_keys, event_log, event_log_group',
      );
    });
    afterEach(async () => {
      await Promise.all(groups.splice(0).map((group) => group.stop()));
    });

    async function start(
      prune: PruneOptions | false = {},
      options: Parameters<typeof PruningGroup.start>[2] = {},
      over: SqlClient = client,
    ): Promise<PruningGroup> {
      const made = await PruningGroup.start(over, prune, options);
      groups.push(made);
      return made;
    }

    it('forgets what a group handled thirty days ago, and says how much of it', async () => {
      await record(client, ['new', 'young'], 0);
      await record(client, ['middle'], 29.9 * dayMs);
      await record(client, ['old', 'older'], 30.1 * dayMs);
      const group = await start();
      await untilRecorded(client, ['middle', 'new', 'young']);
      await vi.waitFor(() => expect(group.count('inbox')).toBe(2), waiting);
      expect(group.observed).toContainEqual({
        kind: 'pruned',
        what: 'inbox',
        group: 'billing',
        count: 2,
      });
    });

    it('leaves alone what other groups have, for which it cannot speak', async () => {
      await record(client, ['a'], 90 * dayMs, 'shipping');
      await record(client, ['b'], 90 * dayMs);
      await start();
      await untilRecorded(client, []);
      expect(await recorded(client, 'shipping')).toEqual(['a']);
    });

    it('deletes in batches, each in a transaction of its own', async () => {
      await record(client, numbered('old', 25), 31 * dayMs);
      const deleted: number[] = [];
      const group = await start({ batchRows: 10 }, {}, watched(client, deleted));
      await vi.waitFor(() => expect(group.count('inbox')).toBe(25), waiting);
      expect(deleted.slice(0, 3)).toEqual([10, 10, 5]);
    });

    it('keeps the rows of events that a dead letter or a handover still waits for', async () => {
      const old = ['pending', 'processing', 'resolved', 'skipped', 'waiting', 'done', 'other'];
      await record(client, old, 31 * dayMs);
      for (const status of ['pending', 'processing', 'resolved', 'skipped']) {
        await addDeadLetter(client, status, status, { handler: 'another', resolvedDaysAgo: 1 });
      }
      await addDeadLetter(client, 'other', 'pending', { group: 'shipping' });
      await addHandover(client, 'waiting', 'waiting');
      await addHandover(client, 'done', 'done', 1);
      await start();
      await untilRecorded(client, ['pending', 'processing', 'waiting']);
      await client.query(`UPDATE event_dlq SET status = 'resolved' WHERE status = 'pending'`);
      await client.query(`UPDATE event_handover SET status = 'done'`);
      await vi.waitFor(async () => expect(await recorded(client)).toEqual(['processing']), waiting);
    });

    it('forgets idempotency keys when their time has passed and nobody holds them, and not before', async () => {
      await client.query(`
        INSERT INTO idempotency_keys (idempotency_key, operation, status, created_at, expires_at, claim_until)
        VALUES ('passed', 'o', 'completed', now(), now() - interval '1 second', NULL),
               ('failed', 'o', 'failed', now(), now() - interval '1 second', NULL),
               ('given up', 'o', 'processing', now(), now() - interval '8 days', now() - interval '8 days'),
               ('held', 'o', 'processing', now(), now() - interval '8 days', now() + interval '1 hour'),
               ('ahead', 'o', 'completed', now() - interval '1 year', now() + interval '1 hour', NULL)`);
      const group = await start();
      await vi.waitFor(() => expect(group.count('idempotency-keys')).toBe(3), waiting);
      const { rows } = await client.query(
        'SELECT idempotency_key AS key FROM idempotency_keys ORDER BY key',
      );
      expect(rows).toEqual([{ key: 'ahead' }, { key: 'held' }]);
      expect(group.observed).toContainEqual({
        kind: 'pruned',
        what: 'idempotency-keys',
        group: undefined,
        count: 3,
      });
    });

    it('lets work that took longer than its claim keep its result', async () => {
      const store = new PostgresIdempotencyStore({ client });
      const claim = await store.claim('late', { operation: 'charge', claimMs: 1 });
      await client.query(`INSERT INTO idempotency_keys
        VALUES ('passed', 'o', 'completed', NULL, NULL, now(), now() - interval '1 second')`);
      await vi.waitFor(async () => {
        const { rows } = await client.query(
          `SELECT FROM idempotency_keys WHERE idempotency_key = 'late' AND claim_until < clock_timestamp()`,
        );
        expect(rows).toHaveLength(1);
      }, waiting);
      const group = await start();
      await vi.waitFor(() => expect(group.count('idempotency-keys')).toBe(1), waiting);
      const token = claim.status === 'claimed' ? claim.token : '';
      expect(await store.complete('late', token, 'done', dayMs)).toBe(true);
    });

    it('forgets handovers that ended thirty days ago, and never one that waits', async () => {
      await addHandover(client, 'waits', 'waiting');
      await addHandover(client, 'done-late', 'done', 29);
      await addHandover(client, 'done', 'done', 31);
      await addHandover(client, 'skipped', 'skipped', 31);
      const group = await start();
      await vi.waitFor(() => expect(group.count('handovers')).toBe(2), waiting);
      expect(await idsOf(client, 'event_handover', 'event_id')).toEqual(['done-late', 'waits']);
    });

    it('keeps dead letters, whatever became of them, unless told otherwise', async () => {
      await addDeadLetter(client, 'resolved', 'resolved', { resolvedDaysAgo: 39 });
      await record(client, ['old'], 31 * dayMs);
      const group = await start();
      await untilRecorded(client, []);
      expect(await idsOf(client, 'event_dlq', 'original_event_id')).toEqual(['resolved']);
      expect(group.count('dead-letters')).toBe(0);
    });

    it('forgets dead letters that ended so long ago as it is told', async () => {
      await addDeadLetter(client, 'resolved', 'resolved', { resolvedDaysAgo: 39 });
      await addDeadLetter(client, 'skipped', 'skipped', { resolvedDaysAgo: 39 });
      await addDeadLetter(client, 'young', 'resolved', { resolvedDaysAgo: 5 });
      await addDeadLetter(client, 'undated', 'skipped');
      await addDeadLetter(client, 'pending', 'pending');
      await addDeadLetter(client, 'processing', 'processing');
      const group = await start({ deadLettersMs: 10 * dayMs });
      await vi.waitFor(() => expect(group.count('dead-letters')).toBe(2), waiting);
      expect(await idsOf(client, 'event_dlq', 'original_event_id')).toEqual([
        'pending',
        'processing',
        'undated',
        'young',
      ]);
    });

    it('keeps everything that it is told to keep', async () => {
      await record(client, ['old'], 99 * dayMs);
      await addHandover(client, 'done', 'done', 39);
      await client.query(`INSERT INTO idempotency_keys
        VALUES ('passed', 'o', 'completed', NULL, NULL, now(), now() - interval '1 day')`);
      await addDeadLetter(client, 'sentinel', 'resolved', { resolvedDaysAgo: 39 });
      const never = Number.POSITIVE_INFINITY;
      const group = await start({
        inboxMs: never,
        handoversMs: never,
        idempotencyKeys: false,
        deadLettersMs: dayMs,
      });
      await vi.waitFor(() => expect(group.count('dead-letters')).toBe(1), waiting);
      expect(await recorded(client)).toEqual(['old']);
      expect(await idsOf(client, 'event_handover', 'event_id')).toEqual(['done']);
      expect(await idsOf(client, 'idempotency_keys', 'idempotency_key')).toEqual(['passed']);
    });

    it('keeps a row for as long as it is told, and everything that is younger than an hour', async () => {
      await record(client, ['a-week'], 7.1 * dayMs);
      await record(client, ['six-days'], 6.9 * dayMs);
      const group = await start({ inboxMs: 7 * dayMs });
      await untilRecorded(client, ['six-days']);
      await group.stop();
      await record(client, ['two-hours'], dayMs / 12);
      await record(client, ['now'], 0);
      await start({ inboxMs: 0 });
      await vi.waitFor(async () => expect(await recorded(client)).toEqual(['now']), waiting);
    });

    it('does nothing for a group that prunes by itself, also beside one that does not', async () => {
      await record(client, ['a'], 90 * dayMs);
      await record(client, ['b'], 90 * dayMs, 'shipping');
      await start(false);
      await start({}, { group: 'shipping' });
      await untilRecorded(client, [], 'shipping');
      expect(await recorded(client)).toEqual(['a']);
    });

    it('goes by the more careful one where two of a process consume for one group', async () => {
      await record(client, ['old'], 31 * dayMs);
      await record(client, ['ancient'], 61 * dayMs);
      await start({ inboxMs: 60 * dayMs });
      await start();
      await vi.waitFor(async () => expect(await recorded(client)).toEqual(['old']), waiting);
    });

    it('says that it cannot delete, tries again, and says that it gets on', async () => {
      await record(client, ['old'], 31 * dayMs);
      await addHandover(client, 'done', 'done', 31);
      await client.query('ALTER TABLE inbox RENAME TO hidden');
      const group = await start();
      try {
        await vi.waitFor(() => expect(group.count('handovers')).toBe(1), waiting);
        expect(group.observed).toContainEqual({
          kind: 'prune-failed',
          what: 'inbox',
          group: 'billing',
          error: expect.objectContaining({ code: 'STORE_REJECTED' }),
        });
        expect(group.subscriber.health()).toEqual({
          status: 'degraded',
          reasons: [expect.stringMatching(/^the pruner of billing does not get on: .*inbox/)],
        });
      } finally {
        await client.query('ALTER TABLE hidden RENAME TO inbox');
      }
      await untilRecorded(client, []);
      await vi.waitFor(() => expect(group.subscriber.health().status).toBe('ok'), waiting);
      expect(group.observed).toContainEqual(
        expect.objectContaining({ kind: 'recovered', who: 'pruner', name: 'billing' }),
      );
    });

    it('deletes nothing after the group has stopped, and begins again with the next one', async () => {
      const first = await start();
      await first.stop();
      await record(client, ['old'], 31 * dayMs);
      await record(client, ['b'], 31 * dayMs, 'shipping');
      await start({}, { group: 'shipping' });
      await untilRecorded(client, [], 'shipping');
      expect(await recorded(client)).toEqual(['old']);
      await start();
      await untilRecorded(client, []);
    });

    it('does not begin before a share of its interval has passed', async () => {
      await record(client, ['old'], 31 * dayMs);
      await record(client, ['b'], 31 * dayMs, 'shipping');
      const late = await start({ everyMs: dayMs }, { random: () => 0.5 });
      await late.stop();
      await start({}, { group: 'shipping' });
      await untilRecorded(client, [], 'shipping');
      expect(await recorded(client)).toEqual(['old']);
    });
  });
}

async function idsOf(client: SqlClient, table: string, column: string): Promise<unknown[]> {
  const { rows } = await client.query(`SELECT ${column} AS id FROM ${table} ORDER BY ${column}`);
  return rows.map(({ id }) => id);
}

/** A client that notes how many rows each transaction has deleted from the inbox. */
function watched(client: SqlClient, deleted: number[]): SqlClient {
  return watchedClient(client, async (text, run) => {
    const result = await run();
    if (/DELETE FROM .*inbox/.test(text)) deleted.push(result.rowCount);
    return result;
  });
}
