// Moves each item that was received, until the group has handled everything in the log.

import { systemClock } from '@waybill/core';
import type { Handler } from '@waybill/core';
import type { SqlTransaction } from '@waybill/postgres';
import { LedgerClient, workerArgs } from '@waybill/testing';

import { openService, type ServiceArgs } from '../support/open-service.ts';
import type { ItemReceived } from '../support/test-events.ts';

export interface ConsumeArgs extends ServiceArgs {
  readonly ledgerUrl: string;
  /** Effect and memory in one transaction, an effect alone, failure, or death at the first event. */
  readonly handler: 'inbox' | 'plain' | 'failing' | 'deadly';
  readonly maxDeliveries?: number;
}

const args = workerArgs<ConsumeArgs>();
const { client, bus, end } = await openService(args);
const ledger = await LedgerClient.connect(args.ledgerUrl);
const group = bus.consumers('stock', {
  concurrency: 1,
  redrivePollMs: 3_600_000,
  retry: { maxRetries: 0 },
  maxDeliveries: args.maxDeliveries ?? 5,
});

const move: Handler<ItemReceived, SqlTransaction> = async (event, { tx, key, attempt }) => {
  if (args.handler === 'failing') throw new Error('there is no shelf for this');
  if (args.handler === 'deadly' && event.id === 'e1') process.kill(process.pid, 'SIGKILL');
  await (tx ?? client).query('INSERT INTO movements (event_id) VALUES ($1)', [event.id]);
  const { number, delivery } = attempt;
  const { keySequence } = event.data;
  const identity = { eventId: event.id, group: 'stock', key, keySequence };
  await ledger.report({ kind: 'handled', ...identity, attempt: number, delivery });
};
group.on(['item.received'], move as Handler, { name: 'move', inbox: args.handler !== 'plain' });

await group.start();
while (!(await isCaughtUp())) await systemClock.sleep(5);
await group.stop();
ledger.close();
await end();

async function isCaughtUp(): Promise<boolean> {
  const { streams } = await bus.transport.inspect();
  return streams.every(({ groups }) => groups.every(({ pending, lag }) => pending + lag === 0));
}
