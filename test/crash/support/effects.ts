import { checkLedger } from '@waybill/testing';
import type { Ledger, LedgerEntry, LedgerVerdict } from '@waybill/testing';

import type { CrashDatabase } from './crash-database.ts';
import { idsUpTo } from './test-events.ts';

/** Ids of the events whose dead letters are there. */
export function deadLettersIn(database: CrashDatabase): Promise<string[]> {
  return database.column('event_dlq', 'original_event_id');
}

/** What the ledger and the tables say about the events 1 to `count`, in a group with an inbox. */
export async function verdictOn(
  database: CrashDatabase,
  ledger: Ledger,
  count: number,
): Promise<LedgerVerdict> {
  const found = (kind: LedgerEntry['kind'], ids: readonly string[]): LedgerEntry[] =>
    ids.map((eventId) => ({ kind, group: 'stock', eventId }));
  const entries: LedgerEntry[] = [
    ...(await ledger.entries()),
    ...found('applied', await database.column('movements', 'event_id')),
    ...found('dead-lettered', await deadLettersIn(database)),
  ];
  return checkLedger(entries, {
    groups: ['stock'],
    committed: idsUpTo(count),
    onceGroups: ['stock'],
  });
}
