import type { Catalogue } from '../event/catalogue.ts';
import type { ConsumerDatabase } from './consumer-database.ts';
import { assertKnownOptions, type OptionNames } from '../options.ts';
import { consumerGroupOptions, type ConsumerChoices } from './consumer-group-options.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { handlerOptions, type HandlerOptions } from './registration.ts';

/** What a subscriber needs of a bus; every `EventBus` has it. */
export interface ConsumerSource {
  /** Brings events of an older version up to date, and has the schemas for `strict`. */
  readonly catalogue?: Catalogue | undefined;
  /**
   * The consumers of a group in this process; asked again, the same ones, until they are stopped or have ended.
   *
   * @param group The group of the service unless given; `null` for a broadcast subscription, new each time.
   * @throws {TypeError} If the group was made with other choices before.
   * @throws {EventError} `STOPPING` after the bus was shut down.
   */
  consumers(group?: string | null, choices?: ConsumerChoices): ConsumerGroup;
}

export interface SubscriberOptions extends Omit<ConsumerChoices, 'transactions' | 'inbox'> {
  /** Consumer group; that of the bus's service unless given. */
  group?: string;
  /** Keeps inbox and dead letters, and gives handlers `context.tx`; what the bus brings unless given. */
  database?: ConsumerDatabase;
  /** Default of `{ inbox }` for every handler; off unless given. */
  inbox?: boolean;
  /**
   * Hold every event against the schema that the catalogue has for its type, and refuse a handler for types that
   * it does not have, both for handlers without a schema of their own. What comes by a wildcard and is not in the
   * catalogue passes, with a warning for each type.
   */
  strict?: boolean;
}

export interface SubscriptionOptions extends HandlerOptions {
  /**
   * Every running instance gets the event, from now on, instead of one of the group: for caches. Has
   * no inbox and no dead letters.
   */
  broadcast?: boolean;
}

const {
  transport: _transport,
  codec: _codec,
  predecessor: _predecessor,
  transactions: _transactions,
  ...choices
} = consumerGroupOptions;
const subscriberOptions: OptionNames<SubscriberOptions> = {
  ...choices,
  database: true,
  strict: true,
};
const subscriptionOptions: OptionNames<SubscriptionOptions> = {
  ...handlerOptions,
  broadcast: true,
};

/** @throws {TypeError} If an option of a subscriber is not known. */
export function assertSubscriberOptions(options: SubscriberOptions): void {
  assertKnownOptions('a subscriber', options, subscriberOptions);
}

/** @throws {TypeError} If an option of a subscription is not known. */
export function assertSubscriptionOptions(where: string, options: SubscriptionOptions): void {
  assertKnownOptions(where, options, subscriptionOptions);
}
