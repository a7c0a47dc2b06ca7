import { isEventError, Publisher } from '@waybill/core';
import { openPostgres, PostgresEventBus, PostgresEventStore } from '@waybill/postgres';
import type { SqlClient, SqlTransaction } from '@waybill/postgres';
import { startFaultProxy } from '@waybill/testing';
import type { FaultProxy } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { hasPostgres } from '../../scripts/services/test-database.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { createCrashDatabase, type CrashDatabase } from './support/crash-database.ts';
import { draftOf, idsUpTo } from './support/test-events.ts';

describe.skipIf(!hasPostgres())('a network that breaks between the library and PostgreSQL', () => {
  let database: CrashDatabase;
  let proxy: FaultProxy;
  let client: SqlClient;
  let store: PostgresEventStore;
  let bus: PostgresEventBus;
  /** How often a publish was refused and had to be repeated. */
  let refusals: number;
  beforeEach(async () => {
    refusals = 0;
    database = await createCrashDatabase();
    const real = new URL(database.url);
    proxy = await startFaultProxy({ to: { host: real.hostname, port: Number(real.port) } });
    const through = new URL(database.url);
    through.host = `${proxy.host}:${proxy.port}`;
    client = openPostgres({ connectionString: through.href });
    store = new PostgresEventStore({ client });
    bus = new PostgresEventBus({ serviceName: 'stock', client });
  });
  afterEach(async () => {
    await proxy?.switchTo({ kind: 'pass' });
    await bus?.shutdown();
    await client?.close();
    await proxy?.stop();
    await database?.drop();
  });

  const publisher = (relay: boolean): Publisher =>
    new Publisher({ serviceName: 'dock', bus, store, relay, relayPollMs: 10 });

  /** Publishes with the same id until it is told that the event is safe. */
  async function publishStubbornly(by: Publisher, number: number): Promise<void> {
    for (;;) {
      try {
        await by.publish(draftOf(number));
        return;
      } catch (error) {
        if (!isEventError(error) || !error.retryable) throw error;
        refusals += 1;
      }
    }
  }

  async function consume(): Promise<void> {
    const group = bus.consumers('stock', { redrivePollMs: 3_600_000 });
    group.on(
      ['item.received'],
      async (event, { tx }) => {
        const movement = 'INSERT INTO movements (event_id) VALUES ($1)';
        await (tx as SqlTransaction).query(movement, [event.id]);
      },
      { name: 'move', inbox: true },
    );
    await group.start();
  }

  const sorted = (ids: readonly string[]) => [...ids].sort();
  const effects = () => database.column('movements', 'event_id', 'row_id');

  async function expectEachOnceInOrder(count: number): Promise<void> {
    await waitUntil('every effect is there', async () => (await effects()).length >= count);
    const ids = await effects();
    expect(sorted(ids)).toEqual(sorted(idsUpTo(count)));
    const byKey = Map.groupBy(ids, (id) => draftOf(Number(id.slice(1))).subject);
    for (const [key, ofKey] of byKey) {
      const inOrder = idsUpTo(count).filter((id) => draftOf(Number(id.slice(1))).subject === key);
      expect(ofKey).toEqual(inOrder);
    }
  }

  it('stores a publish once wherever its answers are cut', async () => {
    const quiet = publisher(false);
    let cuts = 0;
    let number = 0;
    for (let cut = true; cut; number += 1) {
      await client.query('SELECT 1'); // so that a connection is open
      await proxy.switchTo({ kind: 'cut', direction: 'replies', afterBytes: number * 8 });
      const outcome = quiet.publish(draftOf(number + 1));
      cut = await outcome.then(
        () => false,
        () => true,
      );
      await proxy.switchTo({ kind: 'pass' });
      if (cut) cuts += 1;
      await publishStubbornly(quiet, number + 1);
    }

    expect(cuts).toBeGreaterThan(10);
    expect(sorted(await database.column('event_store', 'event_id'))).toEqual(
      sorted(idsUpTo(number)),
    );
    expect(sorted([...new Set(await database.column('outbox', 'event_id'))])).toEqual(
      sorted(idsUpTo(number)),
    );
  });

  it('has each effect once although answers are lost and connections are reset', async () => {
    const relaying = publisher(true);
    await relaying.connect();
    await consume();
    const faults = [
      { kind: 'cut', direction: 'replies', afterBytes: 700 },
      { kind: 'swallow-replies' },
      { kind: 'cut', direction: 'requests', afterBytes: 300 },
      { kind: 'reset' },
      { kind: 'refuse' },
      { kind: 'black-hole' },
    ] as const;

    for (let number = 1; number <= 60; number += 1) {
      const publishing = publishStubbornly(relaying, number);
      await proxy.switchTo(faults[number % faults.length]!);
      await new Promise((resolve) => setTimeout(resolve, 10));
      await proxy.switchTo({ kind: 'pass' });
      await publishing;
    }

    await expectEachOnceInOrder(60);
    expect(refusals).toBeGreaterThan(0);
    await relaying.shutdown();
  });

  it('has each effect once although every connection is ended again and again', async () => {
    const relaying = publisher(true);
    await relaying.connect();
    await consume();
    let ended = 0;
    const endAll = async (): Promise<void> => {
      const { rows } = await database.client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      ended += rows.length;
    };

    for (let number = 1; number <= 60; number += 1) {
      const publishing = publishStubbornly(relaying, number);
      if (number % 3 === 0) await endAll();
      await publishing;
    }

    await expectEachOnceInOrder(60);
    expect(ended).toBeGreaterThan(20);
    await relaying.shutdown();
  });
});
