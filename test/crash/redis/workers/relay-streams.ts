// Relays from the outbox onto streams until the outbox is empty; receives items first if it is told to.

import { systemClock } from '@waybill/core';
import { LedgerClient, workerArgs } from '@waybill/testing';

import { draftOf } from '../../support/test-events.ts';
import { openStreamService, type StreamServiceArgs } from '../support/open-stream-service.ts';

export interface RelayStreamsArgs extends StreamServiceArgs {
  readonly databaseUrl: string;
  readonly ledgerUrl: string;
  /** How many items to receive; those that were received already are not again. */
  readonly count: number;
}

const args = workerArgs<RelayStreamsArgs>();
const { client, store, publisher: newPublisher, end } = await openStreamService(args);
const ledger = await LedgerClient.connect(args.ledgerUrl);
const publisher = newPublisher();
await publisher.connect();

for (let number = 1; number <= args.count; number += 1) {
  const draft = draftOf(number);
  await client!.run(async (tx) => {
    const { rowCount } = await tx.query('SELECT 1 FROM receipts WHERE event_id = $1', [draft.id]);
    if (rowCount > 0) return; // by the process that died
    await tx.query('INSERT INTO receipts (event_id) VALUES ($1)', [draft.id]);
    await publisher.publish(draft, { tx });
  });
  await ledger.report({ kind: 'published', eventId: draft.id });
}
while ((await store!.outbox.status()).waiting > 0) await systemClock.sleep(5);
await publisher.shutdown();
ledger.close();
await end();
