import type {
  EventContext,
  EventDataMap,
  EventEnvelope,
  EventPublisher,
  EventType,
  SqlTransaction,
} from '@quickwms/events';
import type { z } from 'zod';

/**
 * One service of the warehouse: a consumer group, tables of its own, and handlers.
 *
 * It knows neither the database nor the transport that it runs on, nor any other service; in a process
 * of its own it would be the same code.
 */
export interface Service {
  /** Name of the service; its consumer group is `<name>-group`. */
  readonly name: string;
  /** Statements that create its tables where they do not exist. */
  readonly tables: string;
  /** Registers what it does when something happens. */
  register(given: ServiceTools): void;
}

export interface ServiceTools {
  readonly publisher: EventPublisher;
  readonly subscriber: InboxSubscriber;
  /** What looks like chance is decided by it. */
  readonly seed: string;
}

/** Context of a handler with an inbox: what it writes through `tx` commits once per event. */
export type InboxContext = EventContext & { readonly tx: SqlTransaction };

/** A subscriber whose handlers all have an inbox. */
export interface InboxSubscriber {
  on<Schema extends z.ZodType>(
    type: EventType,
    handler: (event: EventEnvelope<z.output<Schema>>, context: InboxContext) => Promise<void>,
    options: { schema: Schema },
  ): unknown;
  on<Type extends EventType>(
    type: Type,
    handler: (event: EventEnvelope<EventDataMap[Type]>, context: InboxContext) => Promise<void>,
  ): unknown;
  onDomain(
    domain: string,
    handler: (event: EventEnvelope, context: InboxContext) => Promise<void>,
  ): unknown;
}
