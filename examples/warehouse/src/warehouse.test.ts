import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventPublisher, PostgresEventBus, SystemEvents, type SqlClient } from '@quickwms/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, schema } from './open-database.ts';
import { settle } from './settle.ts';
import { prepareTables, startWarehouse } from './warehouse.ts';

let folder: string;
let database: SqlClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-warehouse-'));
  ({ database } = await openDatabase({ dataFolder: folder }));
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

describe('a warehouse that starts', () => {
  it('relays what a process that died has left, although nothing new is published', async () => {
    const store = await prepareTables(database);
    const eventBus = new PostgresEventBus({ serviceName: 'dead', client: database, schema });
    const dead = new EventPublisher({
      serviceName: 'dead',
      eventBus,
      eventStore: store,
      relay: false,
    });
    await dead.publish({
      type: SystemEvents.SYSTEM_SERVICE_STARTED,
      data: { service: 'dead', instanceId: 'dead-1' },
    });
    expect(await store.outbox.status()).toMatchObject({ waiting: 1 });

    const warehouse = await startWarehouse(database, store, 'waybill');
    await settle(warehouse, AbortSignal.timeout(15_000));
    expect(await store.outbox.status()).toMatchObject({ waiting: 0 });
    await warehouse.stop();
  });
});
