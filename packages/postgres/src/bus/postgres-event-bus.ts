import { JsonCodec, plainProfile } from '@waybill/core';
import {
  observeFor,
  assertKnownOptions,
  type OptionNames,
  TransportEventBus,
} from '@waybill/core/adapter';
import type {
  Catalogue,
  ConsumerChoices,
  Logger,
  Observer,
  Profile,
  Transport,
  WarningCode,
} from '@waybill/core';

import { consumerDatabase } from '../consume/consumer-database.ts';
import { PostgresLogTransport } from '../log/log-transport.ts';
import type { PruneOptions } from '../prune/prune-options.ts';
import type { SqlClient } from '../client/sql-client.ts';

export interface PostgresEventBusOptions {
  /** Names the consumer group, `<serviceName>-group`. */
  serviceName: string;
  /** The database of the log, of the inboxes and of the dead letters. */
  client: SqlClient;
  /** Schema of the library's tables; `public` unless given. */
  schema?: string;
  /** Name of where messages go; `postgres-log/<schema>` unless given. */
  destination?: string;
  /** Shared by buses of one process, so that they poll once; a new one unless given. */
  transport?: Transport;
  profile?: Profile;
  catalogue?: Catalogue;
  /** Attempts of a handler after its first one; 3 unless given. */
  maxRetries?: number;
  /** Delay before the first retry in milliseconds; 1,000 unless given. */
  retryDelayMs?: number;
  /** What groups get unless they choose otherwise. */
  consumers?: ConsumerChoices;
  /** What is deleted beside the log while groups run, and when: see `PruneOptions`; `false` to delete nothing. */
  prune?: PruneOptions | false;
  observer?: Observer;
  /** Hears everything that people have to know; see `TransportEventBusOptions`. */
  logger?: Logger;
  /** Codes of what is meant to be so. */
  silence?: readonly WarningCode[];
}

const knownOptions: OptionNames<PostgresEventBusOptions> = {
  serviceName: true,
  client: true,
  schema: true,
  destination: true,
  transport: true,
  profile: true,
  catalogue: true,
  maxRetries: true,
  retryDelayMs: true,
  consumers: true,
  prune: true,
  observer: true,
  logger: true,
  silence: true,
};

/** A bus that needs nothing but PostgreSQL: the log carries events, inbox and dead letters lie beside it. */
export class PostgresEventBus extends TransportEventBus {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(options: PostgresEventBusOptions) {
    assertKnownOptions('PostgresEventBus', options, knownOptions);
    const { client, schema = 'public', profile = plainProfile, catalogue, observer } = options;
    const {
      maxRetries = 3,
      retryDelayMs = 1_000,
      serviceName,
      consumers,
      destination,
      prune,
    } = options;
    const { logger = consumers?.logger, silence = consumers?.silence } = options;
    const heard = observeFor({ observer, logger, silence });
    super({
      serviceName,
      transport:
        options.transport ??
        new PostgresLogTransport({
          client,
          schema,
          ...(destination === undefined ? {} : { destination }),
          observer: heard,
        }),
      sharedTransport: options.transport !== undefined,
      codec: new JsonCodec({ profile, observe: observer }),
      profile,
      consumers: {
        ...consumerDatabase({ client, schema, ...(prune === undefined ? {} : { prune }) }),
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
