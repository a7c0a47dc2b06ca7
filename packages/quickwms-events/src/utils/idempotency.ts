import {
  assertKnownOptions,
  IdempotentExecution,
  type Clock,
  type IdempotencyStore,
} from '@waybill/core';
import { PostgresIdempotencyStore, type SqlClient } from '@waybill/postgres';

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
  | { store: IdempotencyStore }
);

/** Runs an operation once per key, for as long as its result is kept. */
export class IdempotencyHandler extends IdempotentExecution {
  /** @throws {TypeError} If there is not one of database and store, or an option is not usable. */
  constructor(config: IdempotencyHandlerConfig) {
    assertKnownOptions('IdempotencyHandler', config, knownOptions);
    const { claimMs, clock } = config;
    super({
      store: storeOf(config),
      ...(claimMs === undefined ? {} : { claimMs }),
      ...(clock ? { clock } : {}),
    });
  }
}

const knownOptions = ['database', 'schemaName', 'store', 'claimMs', 'clock'] as const;

function storeOf(config: IdempotencyHandlerConfig): IdempotencyStore {
  if ('store' in config && config.store) {
    if (!('database' in config) && !('schemaName' in config)) return config.store;
    throw new TypeError('IdempotencyHandler takes { database } or { store }, not both');
  }
  if ('database' in config && config.database) {
    const { database: client, schemaName: schema } = config;
    return new PostgresIdempotencyStore({ client, ...(schema === undefined ? {} : { schema }) });
  }
  throw new TypeError('IdempotencyHandler needs { database } or { store } to remember keys in');
}
