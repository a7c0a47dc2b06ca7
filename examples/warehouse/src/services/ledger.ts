import type { EventType, SqlTransaction } from '@quickwms/events';

type Account = 'cash' | 'receivables' | 'sales' | 'fees' | 'stock' | 'write-offs';

/** Money that goes from one account to another, in cents, and the event that says so. */
export interface Booking {
  readonly debit: Account;
  readonly credit: Account;
  readonly cents: number;
  readonly bookedFor: EventType;
}

/** Books a document on both accounts: whatever is booked, all accounts together stay at zero. */
export async function book(
  tx: SqlTransaction,
  documentId: string,
  booking: Booking,
): Promise<void> {
  const { debit, credit, cents, bookedFor } = booking;
  await tx.query(
    `INSERT INTO quickfinancez_ledger (document_id, booked_for, account, amount_cents)
     VALUES ($1, $2, $3, $5), ($1, $2, $4, -$5::int)`,
    [documentId, bookedFor, debit, credit, cents],
  );
}
