import { IdempotentExecution, type Clock, type IdempotencyStore } from '@waybill/core';
import { assertKnownOptions, type OptionNames } from '@waybill/core/adapter';
import { PostgresIdempotencyStore, type SqlClient } from '@waybill/postgres';
import { RedisIdempotencyStore, type RedisSource } from '@waybill/redis';

export { generateIdempotencyKey, type IdempotencyKeyParts } from '@waybill/core';

export type IdempotencyHandlerConfig = {
  /** How long a claim holds without a sign of life, in milliseconds; 30,000 unless given. */
  claimMs?: number;
  clock?: Clock;
} & (
  | {
      /** Keeps keys in `idempotency_keys`. */
      database: SqlClient;
      schemaName?: string;
    }
  | {
      /**
       * Keeps keys on Redis, which may forget the last ones when it crashes or fails over. A client is used
       * as it is and not closed; options and a URL get a connection that `close` ends.
       */
      redis: RedisSource;
      /** What the names of the keys on Redis begin with; `quickwms:idempotency:` unless given. */
      keyPrefix?: string;
    }
  | { store: IdempotencyStore }
);

/** Runs an operation once per key, for as long as its result is kept. */
export class IdempotencyHandler extends IdempotentExecution {
  readonly #closeStore: () => void;

  /** @throws {TypeError} If there is not one of database, redis and store, or an option is not usable. */
  constructor(config: IdempotencyHandlerConfig) {
    assertKnownOptions('IdempotencyHandler', config, knownOptions);
    const { claimMs, clock } = config;
    const { store, close = () => {} } = placeOf(config);
    super({
      store,
      ...(claimMs === undefined ? {} : { claimMs }),
      ...(clock ? { clock } : {}),
    });
    this.#closeStore = close;
  }

  /** Ends the connection to Redis that it has opened itself, if any. Idempotent. */
  close(): void {
    this.#closeStore();
  }
}

const knownOptions: OptionNames<IdempotencyHandlerConfig> = {
  database: true,
  schemaName: true,
  redis: true,
  keyPrefix: true,
  store: true,
  claimMs: true,
  clock: true,
};

interface Place {
  readonly store: IdempotencyStore;
  /** Ends what the store has opened. */
  readonly close?: () => void;
}

function placeOf(config: {
  readonly database?: SqlClient;
  readonly schemaName?: string;
  readonly redis?: RedisSource;
  readonly keyPrefix?: string;
  readonly store?: IdempotencyStore;
}): Place {
  const { database, schemaName, redis, keyPrefix = 'quickwms:idempotency:', store } = config;
  const given = [database, redis, store].filter((place) => place !== undefined);
  if (given.length > 1) {
    throw new TypeError(
      'IdempotencyHandler takes one of { database }, { redis } and { store }, not both',
    );
  }
  if (schemaName !== undefined && !database) {
    throw new TypeError('IdempotencyHandler: schemaName belongs to { database }');
  }
  if (config.keyPrefix !== undefined && !redis) {
    throw new TypeError('IdempotencyHandler: keyPrefix belongs to { redis }');
  }
  if (store) return { store };
  if (redis) return onRedis(new RedisIdempotencyStore({ redis, keyPrefix }));
  if (database) {
    const schema = schemaName === undefined ? {} : { schema: schemaName };
    return { store: new PostgresIdempotencyStore({ client: database, ...schema }) };
  }
  throw new TypeError(
    'IdempotencyHandler needs { database } or { store }, or { redis }, to remember keys in',
  );
}

function onRedis(store: RedisIdempotencyStore): Place {
  return { store, close: () => store.close() };
}
