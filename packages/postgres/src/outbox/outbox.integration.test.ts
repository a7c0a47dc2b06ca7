import { accepted, partitionOf } from '@waybill/core/adapter';
import type { Message } from '@waybill/core/adapter';
import { spawnWorker } from '@waybill/testing';
import type { WorkerProcess } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import type { RelayArgs } from '../../test/workers/relay.ts';
import { migrate } from '../migrate/migrate.ts';
import { PostgresOutbox } from './outbox.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient } from '../client/sql-client.ts';

const waiting = { timeout: 40_000, interval: 20 };

const to = { destination: 'published' } as const;
const ofOrder1 = { ...to, partition: partitionOf('order-1'), limit: 10 };
const acceptAll = async (messages: readonly Message[]) => messages.map(({ id }) => accepted(id));

let numbered = 0;
function message(key: string): Message {
  numbered += 1;
  const id = `event-${String(numbered).padStart(6, '0')}`;
  return { id, type: 'order.placed', key, contentType: 'application/json', body: '{}' };
}

describe.skipIf(!hasPostgres())('the outbox on PostgreSQL', () => {
  let database: TestDatabase;
  let client: SqlClient;
  let outbox: PostgresOutbox;
  beforeEach(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await migrate(client);
    outbox = new PostgresOutbox({ client });
  });
  afterEach(async () => {
    await client.close();
    await database.drop();
  });

  async function drainAll(from: PostgresOutbox = outbox): Promise<string[]> {
    const ids: string[] = [];
    for (const partition of await from.waitingPartitions(to.destination)) {
      await from.drain({ ...to, partition, limit: 100 }, async (batch) => {
        ids.push(...batch.map(({ id }) => id));
        return acceptAll(batch);
      });
    }
    return ids;
  }

  it('leaves nothing of a transaction that was rolled back', async () => {
    const ghost = client.run(async (tx) => {
      await outbox.add([message('order-1')], { ...to, tx });
      throw new Error('the order was refused');
    });
    await expect(ghost).rejects.toThrow('refused');
    expect(await drainAll()).toEqual([]);
    expect(await outbox.status()).toMatchObject({ waiting: 0, oldestAgeMs: null });
  });

  it('keeps the order of a key whose older message commits late, behind younger ones of other keys', async () => {
    const [older, younger] = [message('order-1'), message('order-1')];
    const samePartition = Array.from({ length: 200 }, (_, index) => `other-${index}`).find(
      (key) => partitionOf(key) === partitionOf('order-1'),
    )!;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: added, resolve: wasAdded } = Promise.withResolvers<void>();
    const late = client.run(async (tx) => {
      await outbox.add([older], { ...to, tx });
      wasAdded();
      await released;
    });
    await added;
    // Each pass would move a bound on, if it trusted the highest id that it has seen.
    for (let pass = 0; pass < 6; pass += 1) {
      const other = message(samePartition);
      await outbox.add([other], to);
      expect(await drainAll()).toEqual([other.id]);
    }
    release();
    await late;
    await outbox.add([younger], to);
    expect(await drainAll()).toEqual([older.id, younger.id]);
  });

  it('does not look again at rows that were published long ago', async () => {
    const spy = vi.spyOn(client, 'query');
    // The rows are dead and not vacuumed: whoever began at the first one would step over all of them.
    await vi.waitFor(async () => {
      await outbox.add(
        Array.from({ length: 50 }, () => message('order-1')),
        to,
      );
      await drainAll();
      spy.mockClear();
      await outbox.waitingPartitions(to.destination);
      const starts = spy.mock.calls[0]![1]![2] as bigint[];
      // It moves on when nobody writes any more who wrote before, in other databases too.
      expect(starts[partitionOf('order-1')]).toBeGreaterThan(300n);
    }, waiting);
    spy.mockRestore();
  });

  it.each([
    ['after a while', 60_000],
    ['also if its clock was put back', -3_600_000],
  ])('finds rows whose ids are lower than everything it has seen, %s', async (_, passedMs) => {
    let nowMs = 0;
    const clock = { now: () => nowMs, sleep: async () => {}, schedule: () => () => {} };
    const own = new PostgresOutbox({ client, clock });
    for (let pass = 0; pass < 6; pass += 1) {
      await own.add([message('order-1')], to);
      await drainAll(own);
    }
    await client.query('ALTER SEQUENCE outbox_id_seq RESTART');
    const restored = message('order-1');
    await own.add([restored], to);
    nowMs += passedMs;
    expect(await drainAll(own)).toEqual([restored.id]);
  });

  it('ends a batch when it has enough bytes, but never publishes nothing', async () => {
    const small = new PostgresOutbox({ client, maxBatchBytes: 1_000 });
    const body = 'x'.repeat(700);
    const messages = Array.from({ length: 5 }, () => ({ ...message('order-1'), body }));
    await small.add([...messages, { ...message('order-1'), body: 'y'.repeat(5_000) }], to);
    const sizes: number[] = [];
    let more = true;
    while (more) {
      const outcome = await small.drain({ ...ofOrder1, limit: 100 }, async (batch) => {
        sizes.push(batch.length);
        return acceptAll(batch);
      });
      more = outcome.status === 'drained' && outcome.more;
    }
    expect(sizes).toEqual([2, 2, 2]);
  });

  it('gives up a publish that takes too long, and keeps its messages', async () => {
    const impatient = new PostgresOutbox({ client, publishTimeoutMs: 30 });
    await impatient.add([message('order-1')], to);
    const never = impatient.drain(ofOrder1, () => new Promise(() => {}));
    await expect(never).rejects.toMatchObject({ code: 'TRANSPORT_UNAVAILABLE', retryable: true });
    expect((await impatient.status()).waiting).toBe(1);
    expect(await drainAll()).toHaveLength(1);
  });

  it('tells a listener in another process that something was added, and not within the transaction', async () => {
    const other = openPostgres({ connectionString: database.url });
    let heard = 0;
    const stop = await new PostgresOutbox({ client: other }).listen(() => (heard += 1));
    await client.run(async (tx) => {
      await outbox.add([message('order-1')], { ...to, tx });
      // Not committed yet, and heard nevertheless: the notice has a connection of its own.
      await vi.waitFor(() => expect(heard).toBeGreaterThan(0), waiting);
    });
    await stop();
    await other.close();
  });

  it('does not keep another schema from draining the same partition', async () => {
    await migrate(client, { schema: 'Other' });
    const other = new PostgresOutbox({ client, schema: 'Other' });
    await outbox.add([message('order-1')], to);
    await other.add([message('order-1')], to);
    await outbox.drain(ofOrder1, async (batch) => {
      const beside = await other.drain(ofOrder1, acceptAll);
      expect(beside).toMatchObject({ status: 'drained', published: 1 });
      return acceptAll(batch);
    });
  });

  describe('with relays in several processes', () => {
    beforeEach(async () => {
      await client.query(
        'CREATE TABLE published (place BIGSERIAL, event_id TEXT, key TEXT, worker TEXT)',
      );
    });

    const spawnRelay = (given: Partial<RelayArgs> & { worker: string }): WorkerProcess => {
      const args: RelayArgs = {
        connectionString: database.url,
        batchSize: 25,
        answerMs: 10,
        ...given,
      };
      return spawnWorker(new URL('../../test/workers/relay.ts', import.meta.url), args);
    };
    const published = async (): Promise<{ event_id: string; key: string; worker: string }[]> => {
      const { rows } = await client.query<{ event_id: string; key: string; worker: string }>(
        'SELECT event_id, key, worker FROM published ORDER BY place',
      );
      return rows;
    };

    it('publishes a backlog in order per key while relays are killed; only they leave repeats', async () => {
      const backlog: Message[] = [];
      const addMore = async (): Promise<void> => {
        const more = Array.from({ length: 200 }, (_, index) => message(`order-${index % 150}`));
        backlog.push(...more);
        await outbox.add(more, to);
      };
      while (backlog.length < 4_000) await addMore();
      const killed = new Set<string>();
      const relays = new Map<string, WorkerProcess>();
      const start = (): void => {
        const worker = `relay-${relays.size}`;
        relays.set(worker, spawnRelay({ worker }));
      };
      for (let count = 0; count < 4; count += 1) start();

      for (let goal = 400; goal <= 2_800; goal += 400) {
        await vi.waitFor(async () => {
          const { rows } = await client.query('SELECT 1 FROM published OFFSET $1 LIMIT 1', [goal]);
          expect(rows).toHaveLength(1);
        }, waiting);
        const busiest = await vi.waitFor(async () => {
          const { rows } = await client.query<{ worker: string }>(
            'SELECT worker FROM published WHERE NOT worker = ANY($1) ORDER BY place DESC LIMIT 1',
            [[...killed]],
          );
          // Where processes are slow to start, the victims may have come to the end of it alone.
          if (rows.length === 0 && (await outbox.status()).waiting === 0) await addMore();
          expect(rows).toHaveLength(1);
          return rows[0]!.worker;
        }, waiting);
        // Killed while the broker has its batch and its rows are still there.
        const victim = relays.get(busiest)!;
        await victim.message('published');
        await victim.kill('SIGKILL');
        killed.add(busiest);
        start();
      }
      await vi.waitFor(async () => expect((await outbox.status()).waiting).toBe(0), waiting);
      const survivors = [...relays].filter(([worker]) => !killed.has(worker));
      await Promise.all(survivors.map(([, relay]) => relay.kill('SIGTERM')));

      const rows = await published();
      expect(new Set(rows.map((row) => row.event_id))).toEqual(
        new Set(backlog.map(({ id }) => id)),
      );
      expect(keysOutOfOrder(rows)).toEqual([]);
      const again = repeated(rows);
      expect(killed.size).toBe(7);
      expect(again.filter(({ worker }) => !killed.has(worker))).toEqual([]);
      // A relay works on one batch at a time, so that is what its death may repeat.
      expect(again.length).toBeLessThanOrEqual(7 * 25);
    });

    it('takes the partition from a relay that is frozen, once the server has ended its transaction', async () => {
      await outbox.add([message('order-1'), message('order-1')], to);
      // It has to be stopped, and looked at, before it gives the publish up by itself.
      const frozen = spawnRelay({ worker: 'frozen', answerMs: 60_000, publishTimeoutMs: 3_000 });
      await frozen.message('published');
      frozen.signal('SIGSTOP');
      expect(await outbox.drain(ofOrder1, acceptAll)).toEqual({
        status: 'busy',
      });
      await vi.waitFor(async () => {
        expect(await outbox.drain(ofOrder1, acceptAll)).toMatchObject({
          published: 2,
        });
      }, waiting);
      const later = message('order-1');
      await outbox.add([later], to);
      frozen.signal('SIGCONT');
      // Awake again it finds its transaction gone, and goes on with what there is.
      const { ids } = await frozen.message<{ ids: string[] }>('published');
      expect(ids).toEqual([later.id]);
      await frozen.kill();
    });
  });
});

/** Every publication of an event but its last one. */
function repeated<Row extends { event_id: string }>(rows: readonly Row[]): Row[] {
  const last = new Map(rows.map((row) => [row.event_id, row]));
  return rows.filter((row) => last.get(row.event_id) !== row);
}

/** Events that were published for the first time after a younger one of their key. */
function keysOutOfOrder(rows: readonly { event_id: string; key: string }[]): string[] {
  const seen = new Set<string>();
  const youngest = new Map<string, string>();
  return rows.flatMap(({ event_id: id, key }) => {
    if (seen.has(id)) return [];
    seen.add(id);
    const before = youngest.get(key) ?? '';
    youngest.set(key, id > before ? id : before);
    return id > before ? [] : [`${id} after ${before}`];
  });
}
