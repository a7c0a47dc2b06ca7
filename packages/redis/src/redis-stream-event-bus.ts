import { JsonCodec, plainProfile } from '@waybill/core';
import { alsoLogged, assertKnownOptions, TransportEventBus } from '@waybill/core/adapter';
import type { Catalogue, ConsumerChoices, Profile } from '@waybill/core';

import { RedisDeadLetterQueue } from './dead-letter-queue.ts';
import type { RedisSource } from './redis-like.ts';
import { defaultStreamPrefix } from './stream-names.ts';
import type { RedisStreamTransportOptions } from './stream-transport-options.ts';
import { RedisStreamTransport } from './stream-transport.ts';

export interface RedisStreamEventBusOptions extends Omit<
  RedisStreamTransportOptions,
  'connectionName' | 'clock'
> {
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
}

const ownOptions = [
  'serviceName',
  'maxRetries',
  'retryDelayMs',
  'profile',
  'catalogue',
  'consumers',
] as const satisfies readonly (keyof RedisStreamEventBusOptions)[];
const transportOptions = [
  'redis',
  'streamPrefix',
  'destination',
  'maxStreamLength',
  'lossyMaxStreamLength',
  'claimMs',
  'reclaimEveryMs',
  'blockMs',
  'timeoutMs',
  'trimEveryMs',
  'forgetConsumerMs',
  'observer',
] as const satisfies readonly (keyof RedisStreamEventBusOptions)[];

/** Names of all options, for façades that check their own. */
export const redisStreamEventBusOptions: readonly (keyof RedisStreamEventBusOptions)[] = [
  ...ownOptions,
  ...transportOptions,
];

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
    const heard = alsoLogged(observer, consumers);
    const given = transportOptions.filter((name) => options[name] !== undefined);
    const transport = new RedisStreamTransport({
      ...(Object.fromEntries(given.map((name) => [name, options[name]])) as Pick<
        RedisStreamEventBusOptions,
        (typeof transportOptions)[number]
      >),
      connectionName: String(serviceName),
      ...(heard ? { observer: heard } : {}),
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
    });
  }
}
