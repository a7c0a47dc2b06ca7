import {
  Subscriber,
  type EventBus,
  type Handler,
  type Health,
  type RetireOptions,
  type StandardSchemaV1,
  type SubscriberOptions,
  type SubscriptionOptions,
  type UnfinishedDelivery,
} from '@waybill/core';
import { consumerDatabase, type PruneOptions, type SqlClient } from '@waybill/postgres';

import type { EventDataMap, EventType } from '../domains/index.ts';
import { quickwmsEvents } from '../profile.ts';
import type { EventContext, InboxContext, TypedEventHandler } from '../types/index.ts';

export interface EventSubscriberOptions<Inbox extends boolean = boolean> extends Omit<
  SubscriberOptions,
  'database' | 'catalogue'
> {
  /** Keeps inbox and dead letters, and gives handlers `context.tx`. A PostgreSQL bus brings its own. */
  database?: SqlClient;
  /** Schema of the library's tables; `public` unless given. */
  schemaName?: string;
  /** What is deleted from the database while the subscriber runs, and when; `false` to delete nothing. */
  prune?: PruneOptions | false;
  /** Default of `{ inbox }` for every handler; off unless given. */
  inbox?: Inbox;
}

/** A handler as the engine takes it, whatever it was promised about its event. */
type AnyHandler = (event: never, context: never) => Promise<void> | void;

/** Whether a handler has a transaction: its own `{ inbox }` decides, else the subscriber's; a broadcast has none. */
type ContextOf<Options, Inbox extends boolean> = Options extends { broadcast: true }
  ? EventContext
  : (Options extends { inbox: infer Own extends boolean } ? Own : Inbox) extends true
    ? InboxContext
    : EventContext;

/**
 * Consumes warehouse events.
 *
 * @typeParam Inbox Says that handlers have an inbox, and so `context.tx`, unless they ask otherwise.
 */
export class EventSubscriber<Inbox extends boolean = boolean> {
  readonly #subscriber: Subscriber;

  /** @throws {TypeError} If an option is not usable. */
  constructor(bus: EventBus, options: EventSubscriberOptions<Inbox> = {}) {
    if (!bus) throw new TypeError('EventSubscriber needs a bus to consume from');
    this.#subscriber = new Subscriber(bus, engineOptions(bus, options));
  }

  /**
   * Handles one type of event.
   *
   * @throws {TypeError} If the type or an option is not usable.
   * @throws {EventError} `GROUP_RUNNING` after `start()`.
   */
  on<Schema extends StandardSchemaV1, const Options extends SubscriptionOptions>(
    eventType: string,
    handler: TypedEventHandler<StandardSchemaV1.InferOutput<Schema>, ContextOf<Options, Inbox>>,
    options: Options & { schema: Schema },
  ): this;
  on<Type extends EventType, const Options extends SubscriptionOptions = object>(
    eventType: Type,
    handler: TypedEventHandler<EventDataMap[Type], ContextOf<Options, Inbox>>,
    options?: Options,
  ): this;
  on<T>(eventType: string, handler: TypedEventHandler<T>, options?: SubscriptionOptions): this;
  on(eventType: string, handler: AnyHandler, options?: SubscriptionOptions): this {
    return this.#register([eventType], handler, options);
  }

  /** Handles several types with one handler. */
  onMultiple<Type extends EventType, const Options extends SubscriptionOptions = object>(
    eventTypes: Type[],
    handler: TypedEventHandler<EventDataMap[Type], ContextOf<Options, Inbox>>,
    options?: Options,
  ): this;
  onMultiple<T>(
    eventTypes: string[],
    handler: TypedEventHandler<T>,
    options?: SubscriptionOptions,
  ): this;
  onMultiple(eventTypes: string[], handler: AnyHandler, options?: SubscriptionOptions): this {
    return this.#register(eventTypes, handler, options);
  }

  /** Handles a whole domain, given as `item` or `item.*`. */
  onDomain<const Options extends SubscriptionOptions = object>(
    domain: string,
    handler: TypedEventHandler<unknown, ContextOf<Options, Inbox>>,
    options?: Options,
  ): this {
    const pattern = domain === '*' || domain.endsWith('.*') ? domain : `${domain}.*`;
    return this.#register([pattern], handler, options);
  }

  /** Begins to consume. Idempotent while running. */
  start(): Promise<void> {
    return this.#subscriber.start();
  }

  /**
   * Stops taking events and waits for those under way.
   *
   * @param deadlineMs Longest wait in milliseconds, 10,000 unless given; `unfinished` names what is
   *   left for other instances.
   */
  stop(options?: { deadlineMs?: number }): Promise<void> {
    return this.#subscriber.stop(options);
  }

  /** Takes nothing more until `resume()`; what has been taken goes on. It may come before the start. */
  pause(): void {
    this.#subscriber.pause();
  }

  /** Undoes `pause()`. */
  resume(): void {
    this.#subscriber.resume();
  }

  get paused(): boolean {
    return this.#subscriber.paused;
  }

  /** False before the start, after `stop()`, and once one of its consumers has ended by itself. */
  isRunning(): boolean {
    return this.#subscriber.isRunning();
  }

  /** Resolves when everything has stopped; rejects when one of its consumers has ended by itself for good. */
  get finished(): Promise<void> {
    return this.#subscriber.finished;
  }

  /** What the last stop left for other instances. */
  get unfinished(): readonly UnfinishedDelivery[] {
    return this.#subscriber.unfinished;
  }

  /**
   * Gives up a handler of the group, or a whole service, that does not come back: what waits for it ends as
   * skipped.
   *
   * @returns How many events were waiting.
   * @throws {TypeError} If it is not said what is given up, by whom, or why.
   */
  retire(options: RetireOptions): Promise<number> {
    return this.#subscriber.retire(options);
  }

  /** How the group and the broadcasts get on, together. */
  health(): Health {
    return this.#subscriber.health();
  }

  #register(eventTypes: string[], handler: AnyHandler, options?: SubscriptionOptions): this {
    this.#subscriber.on(eventTypes, handler as unknown as Handler, options);
    return this;
  }
}

/** The warehouse's catalogue stands in where the bus has none. */
function engineOptions(bus: EventBus, options: EventSubscriberOptions): SubscriberOptions {
  const { database: client, schemaName: schema, prune, ...engine } = options;
  if (!client) assertNoDatabaseOptions({ schemaName: schema, prune });
  return {
    ...engine,
    ...(engine.strict && !bus.catalogue ? { catalogue: quickwmsEvents } : {}),
    ...(client
      ? {
          database: consumerDatabase({
            client,
            ...(schema === undefined ? {} : { schema }),
            ...(prune === undefined ? {} : { prune }),
          }),
        }
      : {}),
  };
}

/** @throws {TypeError} If one is given that only says something about a database. */
function assertNoDatabaseOptions(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    throw new TypeError(`EventSubscriber: ${name} is about a database; give { database } too`);
  }
}
