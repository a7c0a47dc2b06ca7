import { PostgresEventBus } from '@waybill/postgres';

import type { CrashDatabase } from './crash-database.ts';
import { publishAll } from './publish-all.ts';

/** Puts the events 1 to `count` where consumers read them. */
export async function fillLog(database: CrashDatabase, count: number): Promise<void> {
  await publishAll(database, count);
  const { client, store } = database;
  const { transport } = new PostgresEventBus({ serviceName: 'dock', client });
  await transport.connect();
  const { destination } = transport;
  for (const partition of await store.outbox.waitingPartitions(destination)) {
    const pass = { destination, partition, limit: 1_000 };
    await store.outbox.drain(pass, (messages) => transport.publish(messages));
  }
  await transport.close();
}
