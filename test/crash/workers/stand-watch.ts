// Consumes for a group, or stands by, until it is told to stop.

import { once } from 'node:events';

import { systemClock } from '@waybill/core';
import type { Handler } from '@waybill/core';
import type { SqlTransaction } from '@waybill/postgres';
import { LedgerClient, tellParent, workerArgs } from '@waybill/testing';

import { openService, type ServiceArgs } from '../support/open-service.ts';
import type { ItemReceived } from '../support/test-events.ts';

export interface StandWatchArgs extends ServiceArgs {
  readonly ledgerUrl: string;
  readonly name: string;
  /** How long each effect takes, in milliseconds. */
  readonly workMs: number;
  /** How long it may take to stop, in milliseconds; 10,000 unless given. */
  readonly deadlineMs?: number;
}

const args = workerArgs<StandWatchArgs>();
// From the start: whoever is told that this is ready may say so at once.
const toldToStop = once(process, 'SIGTERM');
const { bus, end } = await openService(args, (seen) => {
  if (seen.kind === 'took-over' || seen.kind === 'stale-refused') void tellParent(seen.kind);
});
const ledger = await LedgerClient.connect(args.ledgerUrl);
const { name, workMs } = args;
const group = bus.consumers('stock', {
  worker: name,
  timeoutMs: 5_000,
  concurrency: 1,
  maxInFlight: 2,
});

const move: Handler<ItemReceived, SqlTransaction> = async (event, { tx, key }) => {
  await tx!.query('INSERT INTO movements (event_id) VALUES ($1)', [event.id]);
  await tellParent('working', { eventId: event.id });
  await systemClock.sleep(workMs);
  const { keySequence } = event.data;
  const identity = { eventId: event.id, group: 'stock', key, keySequence };
  await ledger.report({ kind: 'handled', ...identity, worker: name });
};
group.on(['item.received'], move as Handler, { name: 'move', inbox: true });

await group.start();
await tellParent('ready');
await toldToStop;
const unfinished = await group.stop({ deadlineMs: args.deadlineMs });
await tellParent('stopped', { unfinished: unfinished.map(({ eventId }) => eventId) });
ledger.close();
await end();
