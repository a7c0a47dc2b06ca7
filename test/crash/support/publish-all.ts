import { Publisher } from '@waybill/core';
import { PostgresEventBus } from '@waybill/postgres';

import type { CrashDatabase } from './crash-database.ts';
import { draftOf } from './test-events.ts';

/** Publishes the events 1 to `count` into the outbox, one after the other. */
export async function publishAll({ client, store }: CrashDatabase, count: number): Promise<void> {
  const bus = new PostgresEventBus({ serviceName: 'dock', client });
  const publisher = new Publisher({ serviceName: 'dock', bus, store, relay: false });
  for (let number = 1; number <= count; number += 1) await publisher.publish(draftOf(number));
  await publisher.shutdown();
}
