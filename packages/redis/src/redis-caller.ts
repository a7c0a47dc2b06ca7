import { EventError, systemClock, type Clock } from '@waybill/core';
import { SharedOpening } from '@waybill/core/adapter';

import { RedisConnection } from './redis-connection.ts';
import type { RedisArgument, RedisSource } from './redis-like.ts';
import type { RedisCall } from './redis-script.ts';
import { assertUsable, isRedisLike, redisFactory, type RedisFactory } from './redis-source.ts';

/** Whoever sends commands and waits for one answer each. */
export interface RedisCaller {
  readonly send: RedisCall;
  /** Ends what it opened itself; a client that was given stays as it is. Idempotent. */
  close(): void;
}

export interface SharedRedisOptions {
  readonly factory: RedisFactory;
  readonly name: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** A connection that opens when it is first needed, for everybody in this process who sends short commands. */
export class SharedRedis implements RedisCaller {
  readonly #connection: SharedOpening<RedisConnection>;
  #closed = false;

  constructor(options: SharedRedisOptions) {
    this.#connection = new SharedOpening(() => RedisConnection.open(options));
  }

  /** Opens it, also after it was closed. @throws {EventError} `TRANSPORT_UNAVAILABLE` */
  open(): Promise<RedisConnection> {
    this.#closed = false;
    return this.connection();
  }

  /** The connection, once it can be used. @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED` */
  async connection(): Promise<RedisConnection> {
    if (this.#closed) {
      const message = 'the connection to Redis was closed';
      throw new EventError('NOT_CONNECTED', message, { what: 'redis' });
    }
    return await this.#connection.open();
  }

  readonly send = async (command: string, ...args: RedisArgument[]): Promise<unknown> =>
    (await this.connection()).call(command, args);

  close(): void {
    this.#closed = true;
    const opening = this.#connection.forget();
    opening?.then((connection) => connection.close()).catch(() => {});
  }
}

/**
 * Whoever sends commands to what a user calls "Redis": a client that was given is used as it is; options
 * and URLs get a connection of their own.
 *
 * @throws {TypeError} If it is neither.
 */
export function redisCaller(redis: RedisSource | RedisCaller, name: string): RedisCaller {
  if (isRedisCaller(redis)) return redis;
  if (isRedisLike(redis)) {
    assertUsable(redis);
    return { send: (command, ...args) => redis.call(command, ...args), close() {} };
  }
  return new SharedRedis({
    factory: redisFactory(redis),
    name,
    timeoutMs: 5_000,
    clock: systemClock,
  });
}

function isRedisCaller(redis: RedisSource | RedisCaller): redis is RedisCaller {
  return typeof redis === 'object' && redis !== null && 'send' in redis && 'close' in redis;
}
