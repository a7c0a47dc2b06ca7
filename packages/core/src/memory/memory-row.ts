import type { EventEnvelope } from '../event/envelope.ts';

/** An event as it was appended: JSON, so that nobody who holds it can change what is stored. */
export interface MemoryRow {
  readonly position: bigint;
  readonly event: EventEnvelope;
  readonly json: string;
  /** Where it went, and by which key. */
  readonly routed?: { readonly destination: string; readonly key: string } | undefined;
}
