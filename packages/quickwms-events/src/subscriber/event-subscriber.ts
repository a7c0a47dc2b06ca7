import type {
  ConsumerChoices,
  ConsumerGroup,
  EventBus,
  Health,
  Handler,
  HandlerOptions,
  StandardSchemaV1,
  UnfinishedDelivery,
} from '@waybill/core';
import { PostgresDeadLetterQueue, PostgresInbox, type SqlClient } from '@waybill/postgres';

import type { EventDataMap, EventType } from '../domains/index.ts';
import { quickwmsEvents } from '../profile.ts';
import type { EventContext, InboxContext, TypedEventHandler } from '../types/index.ts';

export interface EventSubscriberOptions<Inbox extends boolean = boolean> extends Omit<
  ConsumerChoices,
  'transactions' | 'inbox' | 'catalogue'
> {
  /** Consumer group; `<serviceName>-group` unless given. */
  group?: string;
  /** Keeps inbox and dead letters, and gives handlers `context.tx`. A PostgreSQL bus brings its own. */
  database?: SqlClient;
  /** Schema of the library's tables; `public` unless given. */
  schemaName?: string;
  /** Default of `{ inbox }` for every handler; off unless given. */
  inbox?: Inbox;
  /** Hold every event of the catalogue against its schema before the handler runs. */
  strict?: boolean;
}

export interface SubscriptionOptions extends HandlerOptions {
  /**
   * Every running instance gets the event, from now on, instead of one of the group: for caches. Has
   * no inbox and no dead letters.
   */
  broadcast?: boolean;
}

/** A handler as the engine takes it, whatever it was promised about its event. */
type AnyHandler = (event: never, context: never) => Promise<void> | void;

/** Whether a handler has a transaction: its own `{ inbox }` decides, else the subscriber's. */
type ContextOf<Options, Inbox extends boolean> = (
  Options extends { inbox: infer Own extends boolean } ? Own : Inbox
) extends true
  ? InboxContext
  : EventContext;

/**
 * Consumes warehouse events.
 *
 * @typeParam Inbox Says that handlers have an inbox, and so `context.tx`, unless they ask otherwise.
 */
export class EventSubscriber<Inbox extends boolean = boolean> {
  readonly #bus: EventBus;
  readonly #options: EventSubscriberOptions;
  readonly #group: ConsumerGroup;
  #broadcasts: ConsumerGroup | undefined;
  #handlers = 0;

  /** @throws {TypeError} If an option is not usable. */
  constructor(bus: EventBus, options: EventSubscriberOptions<Inbox> = {}) {
    if (!bus) throw new TypeError('EventSubscriber needs a bus to consume from');
    if (options.schemaName !== undefined && !options.database) {
      throw new TypeError(
        'EventSubscriber: schemaName says where in a database; give { database } too',
      );
    }
    this.#bus = bus;
    this.#options = options;
    this.#group = bus.consumers(options.group, choicesOf(options));
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
  async start(): Promise<void> {
    if (this.#handlers > 0) await this.#group.start();
    await this.#broadcasts?.start();
  }

  /**
   * Stops taking events and waits for those under way.
   *
   * @param deadlineMs Longest wait in milliseconds, 10,000 unless given; `unfinished` names what is
   *   left for other instances.
   */
  async stop(options: { deadlineMs?: number } = {}): Promise<void> {
    await Promise.all([this.#group.stop(options), this.#broadcasts?.stop(options)]);
  }

  isRunning(): boolean {
    return this.#group.running || (this.#broadcasts?.running ?? false);
  }

  /** What the last stop left for other instances. */
  get unfinished(): readonly UnfinishedDelivery[] {
    return [...this.#group.unfinished, ...(this.#broadcasts?.unfinished ?? [])];
  }

  health(): Health {
    return this.#group.health();
  }

  #register(eventTypes: string[], handler: AnyHandler, options: SubscriptionOptions = {}): this {
    const { broadcast = false, ...asked } = options;
    const schema = asked.schema ?? this.#catalogueSchema(eventTypes);
    const own = { ...asked, ...(schema ? { schema } : {}) };
    if (broadcast) {
      this.#broadcasts ??= this.#bus.consumers(null);
      this.#broadcasts.on(eventTypes, handler as unknown as Handler, own);
    } else {
      this.#handlers += 1;
      this.#group.on(eventTypes, handler as unknown as Handler, {
        inbox: this.#options.inbox ?? false,
        ...own,
      });
    }
    return this;
  }

  #catalogueSchema(eventTypes: string[]): StandardSchemaV1 | undefined {
    if (!this.#options.strict || eventTypes.length !== 1) return undefined;
    return quickwmsEvents.get(eventTypes[0]!)?.schema;
  }
}

/** What the consumer group needs to know, with inbox and dead letters made from the database. */
function choicesOf(options: EventSubscriberOptions): ConsumerChoices {
  const {
    group: _group,
    database,
    schemaName,
    inbox: _inbox,
    strict: _strict,
    ...choices
  } = options;
  if (!database) return choices;
  const place = { client: database, ...(schemaName === undefined ? {} : { schema: schemaName }) };
  return {
    deadLetters: new PostgresDeadLetterQueue(place),
    ...choices,
    transactions: database,
    inbox: new PostgresInbox(place),
  };
}
