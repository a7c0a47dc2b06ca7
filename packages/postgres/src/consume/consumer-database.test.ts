import { Subscriber } from '@waybill/core';
import { MemoryEventBus } from '@waybill/core/memory';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { openPglite } from '../client/pglite-client.ts';
import type { SqlClient, SqlTransaction } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import { consumerDatabase } from './consumer-database.ts';

/** A busy machine takes long to start an embedded database. */
const embeddedStartMs = 60_000;

describe('the database of a subscriber', () => {
  let client: SqlClient;
  beforeAll(async () => {
    client = await openPglite({ memory: true });
    await migrate(client, { schema: 'dock' });
    await client.query('CREATE TABLE graded (id text)');
  }, embeddedStartMs);
  afterAll(() => client.close());

  it('keeps inbox and dead letters in its schema, and commits the inbox with the effect', async () => {
    const bus = new MemoryEventBus({ serviceName: 'graders' });
    const database = consumerDatabase({ client, schema: 'dock' });
    const subscriber = new Subscriber(bus, { database, inbox: true });
    subscriber.on<unknown, SqlTransaction>(
      'item.graded',
      async ({ id }, { tx }) => {
        await tx!.query('INSERT INTO graded VALUES ($1)', [id]);
        if (id === 'bad') throw new Error('no such grade');
      },
      { retry: { maxRetries: 0 } },
    );
    await subscriber.start();
    for (const id of ['good', 'bad']) await bus.publish(graded(id));
    await vi.waitFor(async () => expect(await database.deadLetters.list()).toHaveLength(1));
    const { rows } = await client.query(
      'SELECT g.id, handler FROM graded g JOIN dock.inbox i ON i.event_id = g.id',
    );
    expect(rows).toEqual([{ id: 'good', handler: 'item.graded' }]);
    await bus.shutdown();
  });

  it('is refused with an option that is not known', () => {
    expect(() => consumerDatabase({ client, schemaName: 'dock' } as never)).toThrow(
      /unknown option schemaName/,
    );
    expect(() => consumerDatabase({ client, prune: { inboxMs: -1 } })).toThrow(/inboxMs/);
  });
});

function graded(id: string) {
  return {
    id,
    source: 'tests',
    specversion: '1.0' as const,
    type: 'item.graded',
    datacontenttype: 'application/json',
    time: '2026-03-01T12:00:00.000Z',
    version: 1,
    data: { grade: 'A' },
  };
}
