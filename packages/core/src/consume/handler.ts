import type { EventEnvelope } from '../event/envelope.ts';
import type { Logger } from '../observer.ts';
import type { Coordinates } from '../coordinates.ts';

/** What a handler is told beside the event. */
export interface HandlerContext<Tx extends object = object> {
  /** Consumer group, or `null` for a broadcast subscription. */
  readonly group: string | null;
  /** Name of this handler within its group. */
  readonly handler: string;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
  /** Which try this is: within this delivery, and which delivery (where the transport counts). */
  readonly attempt: { readonly number: number; readonly delivery: number | undefined };
  /** Aborted on timeout, on loss of ownership and at the deadline of a stop. */
  readonly signal: AbortSignal;
  /** The transaction that commits with the inbox row; only with `{ inbox: true }`. */
  readonly tx?: Tx;
  readonly key: string;
  readonly coordinates: Coordinates;
  readonly logger: Logger;
}

/** Handles one event; rejecting means "not done", and the policies decide what follows. */
export type Handler<T = unknown, Tx extends object = object> = (
  event: EventEnvelope<T>,
  context: HandlerContext<Tx>,
) => Promise<void> | void;

/** Wraps a handler in one policy. */
export type Middleware = (next: Handler) => Handler;
