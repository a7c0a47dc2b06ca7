import { systemClock } from '@waybill/core';
import type { Clock, EventPage, Observation, StoredEvent } from '@waybill/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { seeded } from '../../test/random.ts';
import { testEvent } from '../../test/test-event.ts';
import { PostgresEventStore } from './event-store.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient, SqlTransaction } from '../client/sql-client.ts';

const writerCount = 20;
const transactionsPerWriter = 25;
const keyCount = 6;

for (const major of [18, 15] as const) {
  describe.skipIf(!hasPostgres(major))(`reading from a cursor on PostgreSQL ${major}`, () => {
    let database: TestDatabase;
    let client: SqlClient;
    let store: PostgresEventStore;
    let schema: string;
    beforeAll(async () => {
      database = await createTestDatabase({ major });
      client = openPostgres({ connectionString: database.url, maxConnections: writerCount + 5 });
    });
    afterAll(async () => {
      await client?.close();
      await database?.drop();
    });
    beforeEach(async () => {
      schema = `run ${testEvent().id}`;
      store = new PostgresEventStore({ client, schemaName: schema });
      await store.initialize();
      await client.query(
        'DROP TABLE IF EXISTS keys; CREATE TABLE keys (key INT PRIMARY KEY, n INT)',
      );
      await client.query('INSERT INTO keys SELECT generate_series(0, $1), 0', [keyCount - 1]);
    });
    afterEach(() => store.close());

    it.each([1, 2, 3])(
      'misses nothing and keeps the order of each key among twenty writers, seed %i',
      async (seed) => {
        const committed = new Map<string, { key: number; n: number }>();
        let writing = writerCount;
        const writers = Array.from({ length: writerCount }, async (_, writer) => {
          await writeOn(client, store, seeded(seed * 1000 + writer), committed);
          writing -= 1;
        });
        const isComplete = (count: number): boolean => writing === 0 && count >= committed.size;
        const reading = readOn(store, isComplete, seeded(seed));
        await Promise.all(writers);
        const events = await reading;

        expect(events.map(({ event }) => event.id).sort()).toEqual([...committed.keys()].sort());
        expect(isAscending(events)).toBe(true);
        for (let key = 0; key < keyCount; key += 1) {
          const numbers = events
            .map(({ event }) => committed.get(event.id)!)
            .filter((one) => one.key === key)
            .map(({ n }) => n);
          expect(numbers).toEqual(numbers.map((__, index) => index + 1));
        }
      },
    );

    it('waits for a lower position that is committed later, each time', async () => {
      let cursor: string | null = null;
      for (let round = 0; round < 20; round += 1) {
        const [late, early] = [testEvent(), testEvent()];
        await client.run(async (tx) => {
          await store.append(late, { tx });
          await store.append(early);
          const page = await store.readFrom(cursor);
          expect(page.events).toEqual([]);
          cursor = page.cursor;
        });
        const page = await readUntil(store, cursor, 2);
        expect(page.events.map(({ event }) => event.id)).toEqual([late.id, early.id]);
        cursor = page.cursor;
      }
    });

    it('waits for a writer that has drawn its number and writes nothing for a while', async () => {
      await client.query(`
        CREATE FUNCTION "${schema}".dawdle() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_advisory_xact_lock_shared(2); RETURN NEW; END $$;
        CREATE TRIGGER dawdle BEFORE INSERT ON "${schema}".event_store FOR EACH ROW
          WHEN (NEW.subject = 'slow') EXECUTE FUNCTION "${schema}".dawdle()`);
      const [slow, quick] = [testEvent({ subject: 'slow' }), testEvent()];
      // The first number of a sequence is logged, which alone would give its transaction an id.
      await store.append(testEvent());
      const { cursor } = await readUntil(store, null, 1);
      let appending: Promise<bigint> | undefined;
      await client.run(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock(2)');
        appending = store.append(slow);
        await waitUntil(async () => (await lastNumber(client, schema)) === 2n);
        await new PostgresEventStore({ client, schemaName: schema }).append(quick);
        expect((await store.readFrom(cursor)).events).toEqual([]);
      });
      await appending;
      const page = await readUntil(store, cursor, 2);
      expect(page.events.map(({ event }) => event.id)).toEqual([slow.id, quick.id]);
    });

    it('goes past numbers that were drawn and rolled back, and finds what comes after', async () => {
      let cursor: string | null = null;
      for (let round = 0; round < 5; round += 1) {
        const undone = client.run(async (tx) => {
          await store.append(testEvent(), { tx });
          throw new Error('no');
        });
        await expect(undone).rejects.toThrow('no');
        const event = testEvent();
        await store.append(event);
        const page = await readUntil(store, cursor, 1);
        expect(page.events.map((one) => one.event.id)).toEqual([event.id]);
        cursor = page.cursor;
      }
    });

    it('uses no transaction id while nothing is new', async () => {
      const statements: string[] = [];
      const watched: SqlClient = {
        dialect: 'postgres',
        query(text, params) {
          statements.push(text);
          return client.query(text, params);
        },
        run: (work, options) => client.run(work, options),
        listen: (channel, heard) => client.listen(channel, heard),
        close: async () => {},
      };
      const reader = new PostgresEventStore({ client: watched, schemaName: schema });
      await store.append(testEvent());
      const { cursor } = await readUntil(reader, null, 1);
      const takesId = (text: string): boolean => text.includes('pg_current_xact_id()');
      expect(statements.some(takesId)).toBe(true);
      statements.length = 0;
      for (let read = 0; read < 10; read += 1) await reader.readFrom(cursor);
      expect(statements.length).toBeGreaterThan(0);
      expect(statements.filter(takesId)).toEqual([]);
    });

    it('is held back by a writer of another database, names it, and catches up without a new append', async () => {
      const elsewhere = await createTestDatabase({ major });
      const other = openPostgres({ connectionString: elsewhere.url });
      const observed: Observation[] = [];
      const clock = shiftableClock();
      const own = openPostgres({ connectionString: database.url });
      const watching = new PostgresEventStore({
        client: own,
        schemaName: 'stalled',
        clock,
        observer: (observation) => observed.push(observation),
      });
      try {
        await watching.initialize();
        await other.query('CREATE TABLE t (n INT)');
        await other.run(async (tx) => {
          const { rows } = await tx.query<{ pid: number }>(
            'INSERT INTO t VALUES (1) RETURNING pg_backend_pid() AS pid',
          );
          await watching.append(testEvent());
          expect((await watching.readFrom(null)).events).toEqual([]);
          expect(observed).toEqual([]);
          // The server is shared: the alarm names whoever has been writing longest.
          await waitUntil(async () => (await oldestWriter(client)) === rows[0]!.pid);
          clock.shift(11_000);
          await watching.readFrom(null);
          await watching.readFrom(null);
          expect(observed).toEqual([
            {
              kind: 'warning',
              code: 'STALLED_READER',
              message: expect.stringContaining(
                `process ${rows[0]!.pid} (waybill) in database`,
              ) as string,
            },
          ]);
        });
        await readUntil(watching, null, 1);
      } finally {
        await own.close();
        await other.close();
        await elsewhere.drop();
      }
    });

    it('refuses the cursor of a table that was emptied or replaced', async () => {
      await store.append(testEvent());
      const { cursor } = await readUntil(store, null, 1);
      await client.query(`TRUNCATE "${schema}".event_store RESTART IDENTITY`);
      await expect(store.readFrom(cursor)).rejects.toMatchObject({ code: 'CURSOR_FOREIGN' });
      await store.append(testEvent());
      await expect(store.readFrom(cursor)).rejects.toMatchObject({ code: 'CURSOR_FOREIGN' });
      await readUntil(store, null, 1);
    });
  });
}

/** Transactions that lock their key, in different orders of lock, write and append, some rolled back. */
async function writeOn(
  client: SqlClient,
  store: PostgresEventStore,
  random: () => number,
  committed: Map<string, { key: number; n: number }>,
): Promise<void> {
  for (let done = 0; done < transactionsPerWriter; done += 1) {
    const key = Math.floor(random() * keyCount);
    const event = testEvent({ subject: `key-${key}` });
    const rollsBack = random() < 0.2;
    const n = await client
      .run(async (tx) => {
        // Some get their transaction id long before they append, some while appending.
        if (random() < 0.5) await tx.query('SELECT pg_current_xact_id()');
        await pause(random);
        const number = await nextOfKey(tx, key, random() < 0.5);
        await pause(random);
        await store.append(event, { tx });
        await pause(random);
        if (rollsBack) throw new Error('rolled back on purpose');
        return number;
      })
      .catch(() => undefined);
    if (n !== undefined) committed.set(event.id, { key, n });
  }
}

/** Takes the lock of the key; with it comes the order in which its events are to be read. */
async function nextOfKey(tx: SqlTransaction, key: number, selectsFirst: boolean): Promise<number> {
  if (selectsFirst) await tx.query('SELECT FROM keys WHERE key = $1 FOR UPDATE', [key]);
  const { rows } = await tx.query<{ n: number }>(
    'UPDATE keys SET n = n + 1 WHERE key = $1 RETURNING n',
    [key],
  );
  return rows[0]!.n;
}

async function pause(random: () => number): Promise<void> {
  const chance = random();
  if (chance < 0.3) await systemClock.sleep(chance < 0.01 ? 150 : random() * 8);
}

/** Reads page by page until everything is there, and once more for what should not be. */
async function readOn(
  store: PostgresEventStore,
  isComplete: (count: number) => boolean,
  random: () => number,
): Promise<StoredEvent[]> {
  const seen: StoredEvent[] = [];
  let page: EventPage = { events: [], cursor: '' };
  let cursor: string | null = null;
  const read = async (): Promise<void> => {
    page = await store.readFrom(cursor, { limit: 1 + Math.floor(random() * 30) });
    cursor = page.cursor;
    seen.push(...page.events);
  };
  await waitUntil(async () => {
    await read();
    return isComplete(seen.length);
  });
  await read();
  return seen;
}

/** The page, once it has that many events: a writer anywhere on a shared server can hold it back. */
async function readUntil(
  store: PostgresEventStore,
  cursor: string | null,
  count: number,
): Promise<EventPage> {
  let page: EventPage | undefined;
  await waitUntil(async () => {
    page = await store.readFrom(cursor);
    return page.events.length >= count;
  });
  return page!;
}

async function lastNumber(client: SqlClient, schema: string): Promise<bigint> {
  const { rows } = await client.query<{ last: bigint }>(
    `SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last
     FROM "${schema}".event_store_sequence_number_seq`,
  );
  return rows[0]!.last;
}

async function oldestWriter(client: SqlClient): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY age(backend_xid) DESC LIMIT 1',
  );
  return rows[0]?.pid;
}

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.now() + 40_000;
  while (!(await condition())) {
    if (systemClock.now() > deadlineMs) throw new Error('waited in vain');
    await systemClock.sleep(1);
  }
}

function isAscending(events: readonly StoredEvent[]): boolean {
  return events.every(
    ({ position }, index) => index === 0 || events[index - 1]!.position < position,
  );
}

function shiftableClock(): Clock & { shift(ms: number): void } {
  let shiftMs = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + shiftMs,
    shift: (ms) => (shiftMs += ms),
  };
}
