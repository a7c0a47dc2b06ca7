import type { Catalogue } from './catalogue.ts';
import type { Clock } from './clock.ts';
import type { EventEnvelope } from './envelope.ts';
import type { EventBus } from './event-bus.ts';
import type { EventStore } from './event-store.ts';
import type { Ids } from './ids.ts';
import type { Logger, Observer, WarningCode } from './observer.ts';
import type { Outbox } from './outbox.ts';
import type { TransactionRunner } from './transaction.ts';

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
