import { systemClock } from '@waybill/core';
import {
  assertKnownOptions,
  assertRange,
  destinationName,
  maxTimerMs,
  type OptionNames,
} from '@waybill/core/adapter';
import type { Clock, Observer } from '@waybill/core';

import type { RedisSource } from './redis-like.ts';
import { defaultStreamPrefix } from './stream-names.ts';

export interface RedisStreamTransportOptions {
  /** A client, whose server is used by connections of our own; options of ioredis; or a URL. */
  readonly redis: RedisSource;
  /** What names of streams begin with, the separator included; `waybill:events:` unless given. */
  readonly streamPrefix?: string;
  /**
   * Names where messages go, for the rows of an outbox; `redis/` and the prefix unless given. Two servers that
   * are written to through one database need two names; one name is kept when a server moves.
   */
  readonly destination?: string;
  /**
   * Beyond this length, a stream is trimmed of what every group has settled; it is not trimmed unless given.
   * What a group still needs stays, however long the stream becomes, and a warning names the group.
   */
  readonly maxStreamLength?: number;
  /**
   * Beyond this length, the oldest messages are dropped although groups still need them. **Loses messages**;
   * each is observed as `lost`. No cap unless given.
   */
  readonly lossyMaxStreamLength?: number;
  /** A consumer without a sign of life loses its messages after this long, in milliseconds; 30,000 unless given. */
  readonly claimMs?: number;
  /** How often to look for messages of consumers that have gone, in milliseconds; 1,000 unless given. */
  readonly reclaimEveryMs?: number;
  /** How long a read waits for messages before it asks again, in milliseconds; 2,000 unless given. */
  readonly blockMs?: number;
  /** Longest wait for a connection or an answer, in milliseconds; 5,000 unless given. */
  readonly timeoutMs?: number;
  /** How often streams are looked at for trimming, in milliseconds; 5,000 unless given. */
  readonly trimEveryMs?: number;
  /** Consumers that have been away for this long are forgotten if nothing is pending for them; an hour unless given. */
  readonly forgetConsumerMs?: number;
  /** Shown by `CLIENT LIST`; `waybill` unless given. */
  readonly connectionName?: string;
  readonly clock?: Clock;
  readonly observer?: Observer;
}

/** What all consumers of a transport have in common, in milliseconds. */
export interface StreamTiming {
  readonly claimMs: number;
  readonly reclaimEveryMs: number;
  readonly blockMs: number;
  readonly timeoutMs: number;
  readonly forgetConsumerMs: number;
  /** Pause after Redis could not be reached. */
  readonly retryMs: number;
}

/** The options with every default in its place. */
export interface StreamTransportSettings extends StreamTiming {
  readonly redis: RedisSource;
  readonly streamPrefix: string;
  readonly destination: string;
  readonly maxStreamLength: number | undefined;
  readonly lossyMaxStreamLength: number | undefined;
  readonly trimEveryMs: number;
  readonly connectionName: string;
  readonly clock: Clock;
}

const dayMs = 86_400_000;
const maxLength = 1_000_000_000;
/** Option, its smallest and largest value. */
const ranges = [
  // Half of it is left for answers that are on their way.
  ['claimMs', 100, dayMs],
  ['reclaimEveryMs', 1, dayMs],
  ['blockMs', 1, dayMs],
  ['timeoutMs', 1, maxTimerMs],
  ['trimEveryMs', 1, maxTimerMs],
  ['forgetConsumerMs', 1, 365 * dayMs],
] as const;
const where = 'RedisStreamTransport';
const knownOptions: OptionNames<RedisStreamTransportOptions> = {
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
  connectionName: true,
  clock: true,
  observer: true,
};

/** @throws {TypeError} If an option is not known, or a length is out of range. */
export function completed(options: RedisStreamTransportOptions): StreamTransportSettings {
  assertKnownOptions(where, options, knownOptions);
  const { maxStreamLength, lossyMaxStreamLength } = options;
  const { streamPrefix = defaultStreamPrefix, connectionName = 'waybill' } = options;
  const destination = destinationName('redis', streamPrefix, options.destination);
  if (typeof connectionName !== 'string') {
    throw new TypeError(`${where}: connectionName must be text, got ${typeof connectionName}`);
  }
  const lengths = {
    claimMs: options.claimMs ?? 30_000,
    reclaimEveryMs: options.reclaimEveryMs ?? 1_000,
    blockMs: options.blockMs ?? 2_000,
    timeoutMs: options.timeoutMs ?? 5_000,
    trimEveryMs: options.trimEveryMs ?? 5_000,
    forgetConsumerMs: options.forgetConsumerMs ?? dayMs / 24,
  };
  for (const [name, min, max] of ranges) assertRange(where, name, lengths[name], min, max, true);
  for (const name of ['maxStreamLength', 'lossyMaxStreamLength'] as const) {
    const length = options[name];
    if (length !== undefined) assertRange(where, name, length, 1, maxLength, true);
  }
  if (lossyMaxStreamLength !== undefined && lossyMaxStreamLength < (maxStreamLength ?? 0)) {
    throw new TypeError(
      `${where}: lossyMaxStreamLength must not be below maxStreamLength, or messages are lost that need not be`,
    );
  }
  return {
    redis: options.redis,
    streamPrefix,
    destination,
    maxStreamLength,
    lossyMaxStreamLength,
    connectionName,
    clock: options.clock ?? systemClock,
    retryMs: 250,
    ...lengths,
  };
}
