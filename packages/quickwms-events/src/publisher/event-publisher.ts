import {
  Publisher,
  type Clock,
  type EventBus,
  type Health,
  type Ids,
  type Logger,
  type Observer,
  type TransactionChoice,
  type WarningCode,
} from '@waybill/core';
import {
  assertKnownOptions,
  type OptionNames,
  assertRange,
  maxRelayPollMs,
  type PublishingStore,
} from '@waybill/core/adapter';

import { followingFrom, type CreateEventOptions, type KnownEvent } from '../factory.ts';
import { quickwmsEvents } from '../profile.ts';
import type { EventEnvelope } from '../types/index.ts';
import { adviseBestPractices } from './best-practices.ts';

export interface EventPublisherConfig {
  /** Source of the events. */
  serviceName: string;
  eventBus: EventBus;
  /** With a store, an event and its outbox row commit together, and a relay publishes it. */
  eventStore?: PublishingStore;
  /** Kept for its name: with a store, events are always stored first. `false` only gives a warning. */
  storeBeforePublish?: boolean;
  /** Refuse types outside the catalogue and missing key data, which are warnings otherwise. */
  strict?: boolean;
  /** `false` where a process of its own relays. */
  relay?: boolean;
  /** How often the relay looks for what nobody announced, in milliseconds, up to 5,000; 100 unless given. */
  relayPollMs?: number;
  /** Warnings that are meant to be so. */
  silence?: readonly WarningCode[];
  observer?: Observer;
  logger?: Logger;
  clock?: Clock;
  ids?: Ids;
}

const knownOptions: OptionNames<EventPublisherConfig> = {
  serviceName: true,
  eventBus: true,
  eventStore: true,
  storeBeforePublish: true,
  strict: true,
  relay: true,
  relayPollMs: true,
  silence: true,
  observer: true,
  logger: true,
  clock: true,
  ids: true,
};

/** Publishes warehouse events. */
export class EventPublisher {
  readonly #publisher: Publisher;

  /** @throws {TypeError} If the service name or the bus is missing, or an option is not known. */
  constructor(config: EventPublisherConfig) {
    assertKnownOptions('EventPublisher', config, knownOptions);
    const { relayPollMs } = config;
    // A relay that is shared, or of another process, would never look at it.
    if (relayPollMs !== undefined) {
      assertRange('EventPublisher', 'relayPollMs', relayPollMs, 1, maxRelayPollMs);
    }
    if (!config.eventBus) throw new TypeError('EventPublisher needs an eventBus to publish to');
    const { eventBus, eventStore, storeBeforePublish, ...shared } = config;
    this.#publisher = new Publisher({
      ...shared,
      bus: eventBus,
      ...(eventStore ? { store: eventStore } : {}),
      catalogue: quickwmsEvents,
      advise: adviseBestPractices,
      silence: config.silence ?? [],
    });
    if (eventStore && storeBeforePublish === false) {
      this.#publisher.warn(
        'STORE_BEFORE_PUBLISH_OFF',
        'storeBeforePublish: false has no effect with an eventStore: a direct publish could be overtaken or lost',
      );
    }
  }

  /**
   * Connects the bus and begins to relay; the first publish does both by itself. Call it when a process
   * starts: what a predecessor that died has left in the outbox would wait for that publish. Servers that are
   * away, or not ready yet, are waited for until `shutdown()`, with a warning and a degraded health.
   *
   * @throws {EventError} `ACCESS_REFUSED` if the broker or the database refuses its user; `STOPPING` after
   *   `shutdown()`; what else does not pass by itself.
   */
  connect(): Promise<void> {
    return this.#publisher.connect();
  }

  /**
   * Publishes one event.
   *
   * Inside a handler it commits with the handler's transaction; `{ tx }` joins a transaction of
   * yours, `{ tx: null }` stays out of both. Correlation, causation and user follow from the event
   * being handled unless you set them.
   *
   * @returns The event as it was published.
   * @throws {EventError} `PAYLOAD_INVALID`, `ENVELOPE_INVALID`, `PAYLOAD_NOT_JSON`, `TYPE_UNKNOWN`,
   *   `EVENT_ID_CONFLICT`, `STORE_UNAVAILABLE`, `TRANSPORT_UNAVAILABLE`, `ACCESS_REFUSED`
   */
  publish<T, const Type extends string = string>(
    options: CreateEventOptions<T> & KnownEvent<Type>,
    transaction?: TransactionChoice,
  ): Promise<EventEnvelope<T>> {
    return this.#publisher.publish<T>(options, transaction) as Promise<EventEnvelope<T>>;
  }

  /**
   * Publishes several events in order.
   *
   * @throws {EventError} `BATCH_INCOMPLETE` with one outcome per event if any was refused; the others
   *   are published.
   */
  publishBatch<T>(
    events: CreateEventOptions<T>[],
    transaction?: TransactionChoice,
  ): Promise<EventEnvelope<T>[]> {
    return this.#publisher.publishBatch<T>(events, transaction) as Promise<EventEnvelope<T>[]>;
  }

  /** Publishes an event that follows from another: same correlation, caused by it, for the same user unless said. */
  publishCorrelated<T, const Type extends string = string>(
    options: CreateEventOptions<T> & KnownEvent<Type>,
    parent: EventEnvelope,
    transaction?: TransactionChoice,
  ): Promise<EventEnvelope<T>> {
    return this.publish<T>(followingFrom(parent, options), transaction);
  }

  /** Publishes an event about an item; `data.itemId` and `data.qlid` are set unless `data` has them. */
  publishItemEvent<T>(
    type: string,
    qlid: string,
    itemId: string,
    data: T,
    transaction?: TransactionChoice,
  ): Promise<EventEnvelope<T>> {
    return this.publish<T>(
      { type, qlid, subject: itemId, data: { itemId, qlid, ...data } },
      transaction,
    );
  }

  /** Publishes an event about an order; `data.orderId` is set unless `data` has it. */
  publishOrderEvent<T>(
    type: string,
    orderId: string,
    data: T,
    transaction?: TransactionChoice,
  ): Promise<EventEnvelope<T>> {
    return this.publish<T>({ type, subject: orderId, data: { orderId, ...data } }, transaction);
  }

  /**
   * What keeps events from getting out, and since when: a broker that is away or another one, events that it
   * does not take, destinations that nobody relays.
   */
  health(): Health {
    return this.#publisher.health();
  }

  /** The database that its store is on; absent without a store. */
  get database(): Publisher['database'] {
    return this.#publisher.database;
  }

  /** Waits for what is under way and ends the relay; what is left waits for another one. */
  shutdown(): Promise<void> {
    return this.#publisher.shutdown();
  }
}
