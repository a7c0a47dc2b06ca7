import { assertKnownOptions } from '@waybill/core/adapter';
import type { ConsumerDatabase } from '@waybill/core';

import type { SqlClient } from '../client/sql-client.ts';
import { PostgresDeadLetterQueue } from './dead-letter-queue.ts';
import { PostgresHandoverQueue } from './handover-queue.ts';
import { PostgresInbox } from './inbox.ts';
import { databasePruner } from '../prune/database-pruner.ts';
import type { PruneOptions } from '../prune/prune-options.ts';

export interface ConsumerDatabaseOptions {
  readonly client: SqlClient;
  /** Schema of the library's tables; `public` unless given. */
  readonly schema?: string;
  /** What is deleted while groups run, and when: see `PruneOptions`; `false` to delete nothing. */
  readonly prune?: PruneOptions | false;
}

/**
 * What a subscriber keeps in a PostgreSQL database: inbox, dead letters and handovers, with the transactions of all,
 * and what deletes of it what is no longer needed.
 *
 * @throws {TypeError} If an option is not known, or the schema has no usable name.
 */
export function consumerDatabase(options: ConsumerDatabaseOptions): ConsumerDatabase {
  assertKnownOptions('consumerDatabase', options, { client: true, schema: true, prune: true });
  const { client, schema = 'public', prune = {} } = options;
  const deadLetters = new PostgresDeadLetterQueue({ client, schema });
  const handovers = new PostgresHandoverQueue({ client, schema });
  return {
    transactions: client,
    inbox: new PostgresInbox({ client, schema }),
    deadLetters,
    handovers,
    pruner: databasePruner({ client, schema, prune, queues: [deadLetters, handovers] }),
  };
}
