import type { EventPublisher, EventSubscriber } from '@quickwms/events';

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
  readonly subscriber: EventSubscriber<true>;
  /** What looks like chance is decided by it. */
  readonly seed: string;
}
