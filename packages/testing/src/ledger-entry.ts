/** What happened to an event, as the process saw it that did it. */
export type LedgerEntryKind =
  /** Its publisher was told that it is safe. */
  | 'published'
  /** Its publisher rolled its transaction back. */
  | 'rolled-back'
  /** A handler has done its work for it; reported once per run of the handler. */
  | 'handled'
  /** Its effect is there; taken from the place where effects are kept, once per effect found. */
  | 'applied'
  | 'dead-lettered'
  /** Given up on purpose, and named. */
  | 'dropped';

export interface LedgerEntry {
  readonly kind: LedgerEntryKind;
  readonly eventId: string;
  readonly key?: string;
  /** Number of the event among those of its key, in the order in which they were published. */
  readonly keySequence?: number;
  readonly group?: string;
  /** Attempt within the delivery, from 1 on. */
  readonly attempt?: number;
  readonly delivery?: number;
  readonly worker?: string;
  /** Fencing token under which the work was done. */
  readonly token?: string;
}

/** An entry with what the ledger adds: one clock and one order for all processes. */
export interface RecordedEntry extends LedgerEntry {
  /** Place in the ledger, from 1 on. */
  readonly sequence: number;
  /** Milliseconds since the ledger was started. */
  readonly timeMs: number;
}
