import { isEventError, systemClock } from '@waybill/core';
import type { EventEnvelope } from '@waybill/core';
import { startFaultProxy } from '@waybill/testing';
import type { FaultProxy } from '@waybill/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { testEvent } from '../../test/test-event.ts';
import { PostgresEventStore } from './event-store.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { PgPool } from '../client/pg-driver.ts';
import type { SqlClient } from '../client/sql-client.ts';

describe.skipIf(!hasPostgres())('appending to PostgreSQL', () => {
  let database: TestDatabase;
  let client: SqlClient;
  let store: PostgresEventStore;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    store = new PostgresEventStore({ client });
    await store.initialize();
  });
  afterAll(async () => {
    await client?.close();
    await database?.drop();
  });
  // The pool may not have noticed yet which of its connections a case before has ended.
  beforeEach(() => vi.waitFor(() => client.query('TRUNCATE event_store'), { timeout: 10_000 }));

  async function storedIds(from: SqlClient = client): Promise<string[]> {
    const { rows } = await from.query<{ event_id: string }>(
      'SELECT event_id FROM event_store ORDER BY sequence_number',
    );
    return rows.map((row) => row.event_id);
  }

  /** A store whose connections go through a proxy. */
  async function distant(
    work: (far: PostgresEventStore, proxy: FaultProxy) => Promise<void>,
  ): Promise<void> {
    const { hostname, port } = new URL(database.url);
    await using proxy = await startFaultProxy({ to: { host: hostname, port: Number(port) } });
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const far = new PostgresEventStore({ connectionString: url.href });
    try {
      await work(far, proxy);
    } finally {
      await far.close();
    }
  }

  it('groups what queued meanwhile, in the order of the calls, and lets a lone append go at once', async () => {
    const statements: number[] = [];
    const counted: SqlClient = {
      dialect: 'postgres',
      query(text, params, options) {
        if (text.startsWith('INSERT')) statements.push((params![0] as unknown[]).length);
        return client.query(text, params, options);
      },
      run: (work, options) => client.run(work, options),
      listen: (channel, heard) => client.listen(channel, heard),
      close: async () => {},
    };
    const grouping = new PostgresEventStore({ client: counted });
    const lone = testEvent();
    await grouping.append(lone);
    expect(statements).toEqual([1]);
    const events = Array.from({ length: 1_200 }, () => testEvent());
    const positions = await Promise.all(events.map((event) => grouping.append(event)));
    expect(await storedIds()).toEqual([lone, ...events].map(({ id }) => id));
    expect(positions).toEqual(positions.toSorted((a, b) => Number(a - b)));
    expect(statements.slice(1).reduce((sum, size) => sum + size)).toBe(1_200);
    expect(statements.length).toBeLessThan(6);
  });

  it('refuses the guilty events of a group alone', async () => {
    await client.query(
      `ALTER TABLE event_store ADD CONSTRAINT somebody CHECK (user_id IS DISTINCT FROM 'nobody')`,
    );
    const good = Array.from({ length: 40 }, () => testEvent());
    const guilty = Array.from({ length: 10 }, () => testEvent({ userId: 'nobody' }));
    const all = [...good.slice(0, 20), ...guilty, ...good.slice(20)];
    const outcomes = await Promise.allSettled(all.map((event) => store.append(event)));
    await client.query('ALTER TABLE event_store DROP CONSTRAINT somebody');
    const refused = all.filter((_, index) => outcomes[index]!.status === 'rejected');
    expect(refused.map(({ id }) => id)).toEqual(guilty.map(({ id }) => id));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toMatchObject({ code: 'STORE_REJECTED', retryable: false });
      }
    }
    expect(await storedIds()).toEqual(good.map(({ id }) => id));
  });

  it('refuses by name what the table cannot hold, without asking the database', async () => {
    const guilty: Record<string, EventEnvelope> = {
      nul: testEvent({ data: { text: 'a\0b' } }),
      nulInKey: testEvent({ data: { 'a\0b': 1 } }),
      loneSurrogate: testEvent({ data: '\ud800' }),
      tooDeep: testEvent({
        data: JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown,
      }),
      longId: testEvent({ id: 'x'.repeat(256) }),
      longSubject: testEvent({ subject: 'x'.repeat(256) }),
      noId: testEvent({ id: '' }),
      noTime: testEvent({ time: 'yesterday-ish' }),
      hugeVersion: testEvent({ version: 2 ** 31 }),
      unknownAttribute: testEvent({ tenant: 'acme' } as Partial<EventEnvelope>),
    };
    for (const [what, event] of Object.entries(guilty)) {
      const refusal: unknown = await store.append(event).catch((error: unknown) => error);
      const expected = /ENVELOPE_INVALID|PAYLOAD_NOT_JSON/;
      expect([what, isEventError(refusal) && refusal.code]).toEqual([
        what,
        expect.stringMatching(expected),
      ]);
    }
    expect(await storedIds()).toEqual([]);
  });

  it('refuses data that JSON would change', async () => {
    for (const data of [Number.NaN, -0, [undefined], new Date(0), { toJSON: () => 1 }]) {
      await expect(store.append(testEvent({ data }))).rejects.toMatchObject({
        code: 'PAYLOAD_NOT_JSON',
      });
    }
    expect(await storedIds()).toEqual([]);
  });

  it('refuses what a driver would change silently, before it queues', async () => {
    for (const [attribute, event] of [
      ['id', testEvent({ id: 'a\ud800' })],
      ['subject', testEvent({ subject: 'a\0' })],
      ['correlationId', testEvent({ correlationId: 7 as unknown as string })],
    ] as const) {
      await expect(store.append(event)).rejects.toMatchObject({
        code: 'ENVELOPE_INVALID',
        details: { attribute },
      });
    }
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const data of [circular, 1n]) {
      await expect(store.append(testEvent({ data }))).rejects.toMatchObject({
        code: 'PAYLOAD_NOT_JSON',
      });
    }
    expect(await storedIds()).toEqual([]);
  });

  it('appends once when the reply was lost, and answers the position', async () => {
    await distant(async (far, proxy) => {
      const first = testEvent();
      await far.append(first);
      await proxy.switchTo({ kind: 'swallow-replies' });
      const events = Array.from({ length: 10 }, () => testEvent());
      const appending = Promise.all(events.map((event) => far.append(event)));
      await until(async () => (await storedIds()).length === 11);
      await proxy.switchTo({ kind: 'pass' });
      const positions = await appending;
      expect(await storedIds()).toEqual([first, ...events].map(({ id }) => id));
      expect(await far.append(events[3]!)).toBe(positions[3]);

      const batch = [testEvent(), testEvent()];
      await proxy.switchTo({ kind: 'reset' });
      const appendingBatch = far.appendBatch(batch);
      await proxy.switchTo({ kind: 'pass' });
      await appendingBatch;
      expect(await storedIds()).toHaveLength(13);
    });
  });

  it('tells the caller when the database stays away', async () => {
    await distant(async (far, proxy) => {
      await proxy.switchTo({ kind: 'reset' });
      const refusal = await far.append(testEvent()).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      await proxy.switchTo({ kind: 'pass' });
      await far.append(testEvent());
      expect(await storedIds()).toHaveLength(1);
    });
  });

  it('loses nothing that it has acknowledged while every connection is ended again and again', async () => {
    const admin = openPostgres({ connectionString: database.url });
    const acked: string[] = [];
    let storming = true;
    const appenders = Array.from({ length: 8 }, async () => {
      while (storming) {
        const event = testEvent();
        try {
          await store.append(event);
          acked.push(event.id);
        } catch (error) {
          if (!isEventError(error, 'STORE_UNAVAILABLE')) throw error;
        }
      }
    });
    for (let round = 0; round < 30; round += 1) {
      await systemClock.sleep(60);
      // Where it takes longer than this to connect again, nothing would ever get through.
      await until(async () => acked.length > 4 * round);
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
    }
    storming = false;
    await Promise.all(appenders);
    const stored = new Set(await storedIds(admin));
    expect(acked.filter((id) => !stored.has(id))).toEqual([]);
    expect(acked.length).toBeGreaterThan(100);
    await admin.close();
  });

  it('outlives the deadlocks of two processes that append the same events in opposite order', async () => {
    const other = openPostgres({ connectionString: database.url });
    const twin = new PostgresEventStore({ client: other });
    for (let round = 0; round < 15; round += 1) {
      const events = Array.from({ length: 200 }, () => testEvent());
      const [forth, back] = await Promise.all([
        store.appendBatch(events),
        twin.appendBatch(events.toReversed()),
      ]);
      expect(back.toReversed()).toEqual(forth);
    }
    expect(await storedIds()).toHaveLength(3_000);
    await other.close();
  });

  it("joins the application's own transaction over pg", async () => {
    const pool = new pg.Pool({ connectionString: database.url });
    const own = await pool.connect();
    const [kept, undone] = [testEvent(), testEvent()];
    await own.query('BEGIN');
    const position = await store.append(kept, { tx: own });
    await own.query('COMMIT');
    await own.query('BEGIN');
    await store.appendBatch([undone], { tx: own });
    await own.query('ROLLBACK');
    expect(await storedIds()).toEqual([kept.id]);
    expect(await store.getLatestSequence()).toBe(position);
    await expect(store.append(undone, { tx: own })).rejects.toMatchObject({ code: 'TX_FINISHED' });
    await expect(store.append(undone, { tx: pool })).rejects.toMatchObject({ code: 'TX_FOREIGN' });
    own.release();
    await pool.end();
  });

  it('works behind a pooler that gives each transaction another session', async () => {
    const sessions = new pg.Pool({ connectionString: database.url, max: 4 });
    const forgetful: PgPool = {
      async connect() {
        const session = await sessions.connect();
        // Nothing of a session may be relied on from one transaction to the next.
        await session.query('DISCARD ALL');
        return session as unknown as Awaited<ReturnType<PgPool['connect']>>;
      },
      end: () => sessions.end(),
      on: (event, heard) => sessions.on(event, heard),
    };
    const pooled = openPostgres({ pool: forgetful, prepare: false });
    const behind = new PostgresEventStore({ client: pooled, schemaName: 'behind a pooler' });
    await behind.initialize();
    const events = Array.from({ length: 50 }, () => testEvent({ subject: 's' }));
    await Promise.all(events.map((event) => behind.append(event)));
    await behind.append(testEvent({ subject: 't' }), { expectedPosition: null });
    await until(async () => (await behind.readFrom(null)).events.length === 51);
    expect(await behind.getBySubject('s')).toHaveLength(50);
    await sessions.end();
  });

  it('refuses options that make no sense when it is made', () => {
    for (const options of [
      {},
      { client, connectionString: database.url },
      { client, tabelName: 'typo' },
      { client, schemaName: '' },
    ]) {
      expect(() => new PostgresEventStore(options as { client: SqlClient })).toThrow(TypeError);
    }
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.now() + 20_000;
  while (!(await condition())) {
    if (systemClock.now() > deadlineMs) throw new Error('waited in vain');
    await systemClock.sleep(10);
  }
}
