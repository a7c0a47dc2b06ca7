// Receives items: writes each receipt and publishes its event, in one transaction or by the publisher's own.

import { LedgerClient, workerArgs } from '@waybill/testing';

import { openService, type ServiceArgs } from '../support/open-service.ts';
import { draftOf } from '../support/test-events.ts';

export interface PublishArgs extends ServiceArgs {
  readonly ledgerUrl: string;
  readonly count: number;
  readonly ownTransaction: boolean;
}

const args = workerArgs<PublishArgs>();
const { client, publisher, end } = await openService(args);
const ledger = await LedgerClient.connect(args.ledgerUrl);

for (let number = 1; number <= args.count; number += 1) {
  const draft = draftOf(number);
  if (args.ownTransaction) await receive(draft);
  else await publisher.publish(draft);
  await ledger.report({ kind: 'published', eventId: draft.id });
}
const ghost = { ...draftOf(args.count + 1), id: 'ghost' };
await receive(ghost, new Error('the delivery was refused')).catch(() => undefined);
await ledger.report({ kind: 'rolled-back', eventId: ghost.id });
ledger.close();
await end();

async function receive(draft: ReturnType<typeof draftOf>, refusal?: Error): Promise<void> {
  await client.run(async (tx) => {
    const { rowCount } = await tx.query('SELECT 1 FROM receipts WHERE event_id = $1', [draft.id]);
    if (rowCount > 0) return; // by the process that died
    await tx.query('INSERT INTO receipts (event_id) VALUES ($1)', [draft.id]);
    await publisher.publish(draft, { tx });
    if (refusal) throw refusal;
  });
}
