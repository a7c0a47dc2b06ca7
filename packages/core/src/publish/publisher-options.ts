import { isUriReference } from '../event/attribute-rules.ts';
import type { Catalogue } from '../event/catalogue.ts';
import { shown } from '../text.ts';
import type { Clock } from '../clock.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import type { EventSender } from './event-sender.ts';
import type { EventStore } from './event-store.ts';
import type { Ids } from '../ids.ts';
import type { Logger, Observer, WarningCode } from '../observer.ts';
import { assertKnownOptions, type OptionNames } from '../options.ts';
import type { Audience } from '../people.ts';
import type { Outbox } from './outbox.ts';
import type { TransactionRunner } from '../transaction.ts';

/** A store whose events are put on the transport by way of its outbox. */
export interface PublishingStore extends Pick<EventStore, 'append' | 'appendBatch'> {
  readonly outbox: Outbox;
  readonly transactions: TransactionRunner;
}

export interface PublisherOptions {
  /** Source of the events, unless a draft says otherwise. */
  serviceName: string;
  bus: EventSender;
  /** With a store, event and outbox row commit together and a relay publishes; without, the bus is called directly. */
  store?: PublishingStore;
  catalogue?: Catalogue;
  /** Refuse what is otherwise a warning: types outside the catalogue and missing key data. */
  strict?: boolean;
  /** `false` where another process relays. */
  relay?: boolean;
  /** How often the relay looks for messages that nobody announced, in milliseconds, up to 5,000; 100 unless given. */
  relayPollMs?: number;
  /** Further warnings of a product: called with each event before it is published. */
  advise?: (event: EventEnvelope, warn: (code: WarningCode, message: string) => void) => void;
  silence?: readonly WarningCode[];
  observer?: Observer;
  logger?: Logger;
  clock?: Clock;
  ids?: Ids;
}

const knownOptions: OptionNames<PublisherOptions> = {
  serviceName: true,
  bus: true,
  store: true,
  catalogue: true,
  strict: true,
  relay: true,
  relayPollMs: true,
  advise: true,
  silence: true,
  observer: true,
  logger: true,
  clock: true,
  ids: true,
};

/** @throws {TypeError} If an option is not known, or the name of the service cannot be the source of its events. */
export function assertPublisherOptions(options: PublisherOptions): void {
  assertKnownOptions('a publisher', options, knownOptions);
  assertSource(options.serviceName);
}

/** What the publisher was given, or else what its bus has. */
export function audienceOf({ bus, observer, logger, silence }: PublisherOptions): Audience {
  const { audience } = bus;
  return {
    observer,
    logger: logger ?? audience?.logger,
    silence: silence ?? audience?.silence,
  };
}

function assertSource(name: unknown): void {
  if (isUriReference(name)) return;
  throw new TypeError(
    `a publisher needs a serviceName that is a URI reference, such as quickgradez: it is the source of its events; got ${shown(name)}`,
  );
}
