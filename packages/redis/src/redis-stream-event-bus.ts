import { JsonCodec, plainProfile } from '@waybill/core';
import {
  observeFor,
  assertKnownOptions,
  type OptionNames,
  TransportEventBus,
} from '@waybill/core/adapter';
import type { Catalogue, ConsumerChoices, Logger, Profile, WarningCode } from '@waybill/core';

import { RedisDeadLetterQueue } from './dead-letter-queue.ts';
import type { RedisSource } from './redis-like.ts';
import { defaultStreamPrefix } from './stream-names.ts';
import type { RedisStreamTransportOptions } from './stream-transport-options.ts';
import { RedisStreamTransport } from './stream-transport.ts';

/** What the transport is given as it is. */
type TransportOptions = Omit<RedisStreamTransportOptions, 'connectionName' | 'clock'>;

export interface RedisStreamEventBusOptions extends TransportOptions {
  /** A client, whose server is used by connections of our own; options of ioredis; or a URL. */
  redis: RedisSource;
  /** Names the consumer group, `<serviceName>-group`. */
  serviceName: string;
  /** Attempts of a handler after its first one; 3 unless given. */
  maxRetries?: number;
  /** Delay before the first retry in milliseconds; 1,000 unless given. */
  retryDelayMs?: number;
  profile?: Profile;
  catalogue?: Catalogue;
  /** What groups get unless they choose otherwise; dead letters go to a stream on Redis unless this says where. */
  consumers?: ConsumerChoices;
  /** Hears everything that people have to know; see `TransportEventBusOptions`. */
  logger?: Logger;
  /** Codes of what is meant to be so. */
  silence?: readonly WarningCode[];
}

const transportOptions: OptionNames<TransportOptions> = {
  redis: true,
  streamPrefix: true,
  destination: true,
  maxStreamLength: true,
  lossyMaxStreamLength: true,
  claimMs: true,
  reclaimEveryMs: true,
  blockMs: true,
  timeoutMs: true,
  trimEveryMs: true,
  forgetConsumerMs: true,
  observer: true,
};

/** The names of all options, for façades that check their own. */
export const redisStreamEventBusOptions: OptionNames<RedisStreamEventBusOptions> = {
  serviceName: true,
  maxRetries: true,
  retryDelayMs: true,
  profile: true,
  catalogue: true,
  consumers: true,
  logger: true,
  silence: true,
  ...transportOptions,
};

/**
 * A bus over Redis Streams.
 *
 * Without PostgreSQL, dead letters are kept on Redis. A group of a subscriber with a database keeps them
 * there instead.
 */
export class RedisStreamEventBus extends TransportEventBus {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(options: RedisStreamEventBusOptions) {
    assertKnownOptions('RedisStreamEventBus', options, redisStreamEventBusOptions);
    const { serviceName, maxRetries = 3, retryDelayMs = 1_000 } = options;
    const { profile = plainProfile, catalogue, consumers, observer } = options;
    const { streamPrefix = defaultStreamPrefix } = options;
    const { logger = consumers?.logger, silence = consumers?.silence } = options;
    const heard = observeFor({ observer, logger, silence });
    const transport = new RedisStreamTransport({
      ...transportOptionsOf(options),
      connectionName: String(serviceName),
      observer: heard,
    });
    super({
      serviceName,
      transport,
      codec: new JsonCodec({ profile, observe: observer }),
      profile,
      consumers: {
        deadLetters: new RedisDeadLetterQueue({ redis: transport.redis, streamPrefix }),
        retry: { maxRetries, baseDelayMs: retryDelayMs },
        ...consumers,
      },
      ...(catalogue ? { catalogue } : {}),
      ...(observer ? { observer } : {}),
      ...(logger ? { logger } : {}),
      ...(silence ? { silence } : {}),
    });
  }
}

/** What of them is the transport's. */
function transportOptionsOf(options: RedisStreamEventBusOptions): TransportOptions {
  return Object.fromEntries(
    Object.entries(options).filter(
      ([name, value]) => value !== undefined && Object.hasOwn(transportOptions, name),
    ),
  ) as unknown as TransportOptions;
}
