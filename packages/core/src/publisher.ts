import { payloadInvalid, type Catalogue } from './catalogue.ts';
import { systemClock, type Clock } from './clock.ts';
import type { EventEnvelope, EventMetadata, ExtensionValue } from './envelope.ts';
import { EventError, isEventError, type BatchOutcome } from './errors.ts';
import type { EncodedEvent, EventBus } from './event-bus.ts';
import type { EventStore } from './event-store.ts';
import { GroupCommit } from './group-commit.ts';
import { chosenTransaction, currentScope } from './handler-scope.ts';
import { randomIds, type Ids } from './ids.ts';
import {
  observeAll,
  silentLogger,
  type Logger,
  type Observer,
  type WarningCode,
} from './observer.ts';
import type { Outbox } from './outbox.ts';
import type { OutboxRelay } from './outbox-relay.ts';
import { partitionOf } from './partition.ts';
import { shareRelay, type RelayHold } from './shared-relay.ts';
import type { TransactionChoice, TransactionRunner } from './transaction.ts';
import { Warnings } from './warnings.ts';

/** What a caller says of an event; the publisher adds the rest. Profile attributes are further properties. */
export interface EventDraft<T = unknown> {
  type: string;
  data: T;
  id?: string;
  source?: string;
  time?: string;
  subject?: string;
  dataschema?: string;
  version?: number;
  /** Unless given: that of the event being handled, or the new event's own id. */
  correlationId?: string;
  /** Unless given: the id of the event being handled. */
  causationId?: string;
  userId?: string;
  traceparent?: string;
  tracestate?: string;
  metadata?: EventMetadata;
  extensions?: Record<string, ExtensionValue>;
}

/** A store whose events are put on the transport by way of its outbox. */
export interface PublishingStore extends Pick<EventStore, 'append' | 'appendBatch'> {
  readonly outbox: Outbox;
  readonly transactions: TransactionRunner;
}

export interface PublisherOptions {
  /** Source of the events, unless a draft says otherwise. */
  serviceName: string;
  bus: EventBus;
  /** With a store, event and outbox row commit together and a relay publishes; without, the bus is called directly. */
  store?: PublishingStore;
  catalogue?: Catalogue;
  /** Refuse what is otherwise a warning: types outside the catalogue and missing key data. */
  strict?: boolean;
  /** `false` where another process relays. */
  relay?: boolean;
  /** How often the relay looks for messages that nobody announced, in milliseconds. */
  relayPollMs?: number;
  /** Further warnings of a product: called with each event before it is published. */
  advise?: (event: EventEnvelope, warn: (code: WarningCode, message: string) => void) => void;
  intended?: readonly WarningCode[];
  observer?: Observer;
  logger?: Logger;
  clock?: Clock;
  ids?: Ids;
}

const maxGroupSize = 500;

/** Checks events and gets them on their way; resolves when they cannot be lost any more. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #observe: Observer;
  readonly #warnings: Warnings;
  readonly #hold: RelayHold | undefined;
  readonly #commits: GroupCommit<EncodedEvent, void> | undefined;
  #connected: Promise<void> | undefined;

  /** @throws {TypeError} If the service name is empty. */
  constructor(options: PublisherOptions) {
    if (!options.serviceName)
      throw new TypeError('a publisher needs a serviceName: it is the source of its events');
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#ids = options.ids ?? randomIds;
    this.#observe = observeAll(options.observer ? [options.observer] : []);
    this.#warnings = new Warnings({
      observe: this.#observe,
      logger: options.logger ?? silentLogger,
      ...(options.intended ? { intended: options.intended } : {}),
    });
    const { store, bus } = options;
    if (!store) return;
    this.#commits = new GroupCommit({
      flush: (items) => this.#commitGroup(store, items),
      maxItems: maxGroupSize,
      isItemFault: (error) => isEventError(error) && !error.retryable,
    });
    if (options.relay === false) return;
    this.#hold = shareRelay(store.outbox, bus.transport, {
      ...(options.relayPollMs === undefined ? {} : { pollMs: options.relayPollMs }),
      clock: this.#clock,
      observer: this.#observe,
    });
  }

  /** The relay of this process; absent without a store, or where another process relays. */
  get relay(): OutboxRelay | undefined {
    return this.#hold?.relay;
  }

  /** Gives a warning about this publisher, once, unless it is intended. */
  warn(code: WarningCode, message: string): void {
    this.#warnings.once(code, this.#options.serviceName, message);
  }

  /** Connects the bus and begins to relay. Publishing does both by itself. */
  async connect(): Promise<void> {
    await this.#options.bus.connect();
    this.relay?.start();
  }

  /**
   * Checks an event and publishes it.
   *
   * Inside a handler it joins the handler's transaction; `{ tx }` joins the caller's, `{ tx: null }`
   * stays out of both.
   *
   * @returns The event as it was published.
   * @throws {EventError} `PAYLOAD_INVALID`, `TYPE_UNKNOWN`, `ENVELOPE_INVALID`, `PAYLOAD_NOT_JSON`,
   *   `PAYLOAD_TOO_LARGE`, `EVENT_ID_CONFLICT`, `STORE_UNAVAILABLE`, `TRANSPORT_UNAVAILABLE`
   */
  async publish<T>(draft: EventDraft<T>, options?: TransactionChoice): Promise<EventEnvelope<T>> {
    const checked = await this.#check(draft);
    try {
      await this.#send([checked], options);
    } catch (error) {
      this.#observe({ kind: 'publish-failed', eventType: checked.event.type, error });
      throw error;
    }
    return checked.event as EventEnvelope<T>;
  }

  /**
   * Publishes several events in order; the good ones go even if others are refused.
   *
   * @throws {EventError} `BATCH_INCOMPLETE` with one outcome per event, if any was refused.
   */
  async publishBatch<T>(
    drafts: readonly EventDraft<T>[],
    options?: TransactionChoice,
  ): Promise<EventEnvelope<T>[]> {
    const checks = await Promise.allSettled(drafts.map((draft) => this.#check(draft)));
    const good = checks.filter((check) => check.status === 'fulfilled').map(({ value }) => value);
    const outcomes = checks.map((check, index): BatchOutcome =>
      check.status === 'fulfilled'
        ? { status: 'published', eventId: check.value.event.id }
        : { status: 'failed', index, error: asEventError(check.reason) },
    );
    if (good.length > 0) await this.#sendBatch(good, outcomes, options);
    const failed = outcomes.filter(({ status }) => status === 'failed').length;
    if (failed > 0) {
      throw new EventError(
        'BATCH_INCOMPLETE',
        `${failed} of ${drafts.length} events were refused; details.outcomes says which and why`,
        { outcomes },
      );
    }
    return good.map(({ event }) => event as EventEnvelope<T>);
  }

  /** Waits for publishes under way and lets go of the relay. What is left in the outbox is another relay's. */
  async shutdown(): Promise<void> {
    await this.#commits?.settled();
    await this.#hold?.release();
  }

  async #check(draft: EventDraft): Promise<EncodedEvent> {
    const event = this.#complete(draft);
    await this.#checkAgainstCatalogue(event);
    this.#options.advise?.(event, (code, message) =>
      this.#warnings.once(code, event.type, message),
    );
    return { event, message: this.#options.bus.codec.encode(event) };
  }

  #complete(draft: EventDraft): EventEnvelope {
    const scope = currentScope();
    const id = draft.id ?? this.#ids();
    const inherited = scope && {
      causationId: scope.event.id,
      ...(scope.event.traceparent ? { traceparent: scope.event.traceparent } : {}),
      ...(scope.event.tracestate ? { tracestate: scope.event.tracestate } : {}),
    };
    const { data, ...said } = withoutUndefined(draft);
    return {
      id,
      source: this.#options.serviceName,
      specversion: '1.0',
      datacontenttype: 'application/json',
      time: new Date(this.#clock.now()).toISOString(),
      version: this.#options.catalogue?.get(draft.type)?.version ?? 1,
      correlationId: scope?.event.correlationId ?? scope?.event.id ?? id,
      ...inherited,
      ...said,
      data,
    };
  }

  async #checkAgainstCatalogue(event: EventEnvelope): Promise<void> {
    const { catalogue, strict = false } = this.#options;
    if (!catalogue) return;
    if (!catalogue.get(event.type)) {
      const message = `${event.type} is not in the catalogue, so nobody can know its schema; define it with defineEvent`;
      if (strict) throw new EventError('TYPE_UNKNOWN', message, { eventType: event.type });
      this.#warnings.once('TYPE_NOT_IN_CATALOGUE', event.type, message);
      return;
    }
    const { missing, invalid } = await catalogue.check(event.type, event.data);
    if (invalid.length > 0 || (strict && missing.length > 0)) {
      throw payloadInvalid(event, [...invalid, ...missing]);
    }
    for (const { path } of missing) {
      this.#warnings.once(
        'KEY_DATA_MISSING',
        `${event.type} ${path}`,
        `${event.type} was published without data.${path}, which the catalogue calls key data; add it`,
      );
    }
  }

  /** Connects with the first publish, and again if that failed. */
  #connect(): Promise<void> {
    this.#connected ??= this.#options.bus.connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #sendBatch(
    good: EncodedEvent[],
    outcomes: BatchOutcome[],
    options?: TransactionChoice,
  ): Promise<void> {
    try {
      await this.#send(good, options);
    } catch (error) {
      if (good.length === outcomes.length) throw error;
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'published')
          outcomes[index] = { status: 'failed', index, error: asEventError(error) };
      }
    }
  }

  async #send(checked: readonly EncodedEvent[], options?: TransactionChoice): Promise<void> {
    const { store, bus } = this.#options;
    if (!store) {
      await this.#connect();
      await bus.publishEncoded(checked);
      return;
    }
    const tx = chosenTransaction(options);
    if (tx) await this.#joinTransaction(store, tx, checked);
    else await this.#commit(store, checked);
    this.relay?.start();
    for (const { event } of checked) {
      this.#observe({ kind: 'published', eventType: event.type, eventId: event.id, stored: true });
    }
  }

  /** Adds to a transaction that commits later; its handler, or else the relay's next poll, sees to the rest. */
  async #joinTransaction(
    store: PublishingStore,
    tx: object,
    checked: readonly EncodedEvent[],
  ): Promise<void> {
    await store.appendBatch(
      checked.map(({ event }) => event),
      { tx },
    );
    await store.outbox.add(
      checked.map(({ message }) => message),
      { tx },
    );
    const scope = currentScope();
    if (scope?.tx === tx) scope.afterCommit(() => this.relay?.nudge(partitionsOf(checked)));
  }

  async #commit(store: PublishingStore, checked: readonly EncodedEvent[]): Promise<void> {
    store.transactions.assertFree?.();
    if (checked.length === 1) return this.#commits!.add(checked[0]!);
    await this.#commitGroup(store, checked);
  }

  async #commitGroup(store: PublishingStore, checked: readonly EncodedEvent[]): Promise<void[]> {
    await store.transactions.run(async (tx) => {
      await store.appendBatch(
        checked.map(({ event }) => event),
        { tx },
      );
      await store.outbox.add(
        checked.map(({ message }) => message),
        { tx },
      );
    });
    this.relay?.nudge(partitionsOf(checked));
    return checked.map(() => undefined);
  }
}

/** The partitions of the outbox that these messages are in. */
function partitionsOf(checked: readonly EncodedEvent[]): Set<number> {
  return new Set(checked.map(({ message }) => partitionOf(message.key)));
}

/** An option given as `undefined` is an option not given. */
function withoutUndefined(draft: EventDraft): EventDraft {
  return Object.fromEntries(
    Object.entries(draft).filter(([, value]) => value !== undefined),
  ) as unknown as EventDraft;
}

function asEventError(error: unknown): EventError {
  if (isEventError(error)) return error;
  return new EventError('STORE_REJECTED', String(error), {}, { cause: error });
}
