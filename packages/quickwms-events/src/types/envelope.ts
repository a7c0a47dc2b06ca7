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

/** What a handler is told beside the event; `tx` runs SQL in the transaction of the handling. */
export type EventContext = EngineContext<SqlTransaction>;

/** Any handler of a bus. */
export type EventHandler<T = unknown> = (
  event: EventEnvelope<T>,
  context: EventContext,
) => Promise<void> | void;

/** A handler that knows the shape of its data. */
export type TypedEventHandler<T = unknown> = EventHandler<T>;
