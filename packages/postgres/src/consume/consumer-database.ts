import { assertKnownOptions } from '@waybill/core/adapter';
import type { ConsumerDatabase } from '@waybill/core';

import type { SqlClient } from '../client/sql-client.ts';
import { PostgresDeadLetterQueue } from './dead-letter-queue.ts';
import { PostgresHandoverQueue } from './handover-queue.ts';
import { PostgresInbox } from './inbox.ts';

export interface ConsumerDatabaseOptions {
  readonly client: SqlClient;
  /** Schema of the library's tables; `public` unless given. */
  readonly schema?: string;
}

/**
 * What a subscriber keeps in a PostgreSQL database: inbox, dead letters and handovers, with the transactions of all.
 *
 * @throws {TypeError} If an option is not known, or the schema has no usable name.
 */
export function consumerDatabase(options: ConsumerDatabaseOptions): ConsumerDatabase {
  assertKnownOptions('consumerDatabase', options, { client: true, schema: true });
  const { client, schema = 'public' } = options;
  return {
    transactions: client,
    inbox: new PostgresInbox({ client, schema }),
    deadLetters: new PostgresDeadLetterQueue({ client, schema }),
    handovers: new PostgresHandoverQueue({ client, schema }),
  };
}
