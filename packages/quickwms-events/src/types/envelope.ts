import type {
  EventEnvelope as EngineEnvelope,
  HandlerContext as EngineContext,
} from '@waybill/core';
import type { SqlTransaction } from '@waybill/postgres';

/** An event of the warehouse: CloudEvents 1.0 with the attributes that every QuickWMS service knows. */
export interface EventEnvelope<T = unknown> extends EngineEnvelope<T> {
  datacontenttype: 'application/json';
  /** QuickLotz global id of the item: nine digits. */
  qlid?: string;
  /** The warehouse it happened in. */
  warehouseId?: string;
}

/** What a handler is told beside the event; with an inbox, `tx` runs SQL in the transaction of the handling. */
export type EventContext = EngineContext<SqlTransaction>;

/** Context of a handler with an inbox: what it writes through `tx` commits once per event. */
export type InboxContext = EventContext & { readonly tx: SqlTransaction };

/** Any handler of a bus. */
export type EventHandler<T = unknown, Context extends EventContext = EventContext> = (
  event: EventEnvelope<T>,
  context: Context,
) => Promise<void> | void;

/** A handler that knows the shape of its data, and whether it has a transaction. */
export type TypedEventHandler<
  T = unknown,
  Context extends EventContext = EventContext,
> = EventHandler<T, Context>;
