// Opens an embedded database in a process of its own and tells its parent what came of it.

import { isEventError } from '@waybill/core';
import { tellParent, workerArgs } from '@waybill/testing';

import { openEmbedded } from '../src/embedded/embedded.ts';
import { PostgresEventStore } from '../src/store/event-store.ts';

export interface EmbeddedWorkerArgs {
  readonly directory: string;
  /** Append event after event, and tell of each that was acknowledged. */
  readonly write?: boolean;
}

const { directory, write } = workerArgs<EmbeddedWorkerArgs>();
await tellParent('started');
try {
  const client = await openEmbedded(directory);
  await tellParent('open');
  if (write) await writeOn(new PostgresEventStore({ client }));
  // Neither the lock nor the database keeps a process alive.
  setInterval(() => {}, 60_000);
} catch (error) {
  if (!isEventError(error, 'DIRECTORY_HELD')) throw error;
  await tellParent('refused', { message: error.message, pid: error.details.pid });
  process.exit(0);
}

async function writeOn(store: PostgresEventStore): Promise<never> {
  await store.initialize();
  for (let number = 0; ; number += 1) {
    const id = `${process.pid}-${number}`;
    await store.append({
      id,
      source: 'test',
      specversion: '1.0',
      type: 'thing.happened',
      datacontenttype: 'application/json',
      time: '2026-01-01T00:00:00Z',
      version: 1,
      data: { number },
    });
    await tellParent('acked', { id });
  }
}
