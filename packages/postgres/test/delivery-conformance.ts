import { randomBytes } from 'node:crypto';

import {
  describeDeadLetterQueue,
  describeInbox,
  describeOutbox,
  describeTransport,
} from '@waybill/core/conformance';
import type { StoreConformanceOptions, StoreSubject, TestApi } from '@waybill/core/conformance';

import { PostgresDeadLetterQueue } from '../src/dead-letter-queue.ts';
import { PostgresInbox } from '../src/inbox.ts';
import { PostgresLogTransport } from '../src/log-transport.ts';
import { migrate } from '../src/migrate.ts';
import { PostgresOutbox } from '../src/outbox.ts';
import { quoteIdentifier } from '../src/quote-identifier.ts';
import type { SqlClient } from '../src/sql-client.ts';

/** Where the suites run. */
export interface DeliveryBench {
  readonly name: string;
  readonly dialect: SqlClient['dialect'];
  /** The client of the stores. */
  client(): SqlClient;
  /** Another client of the same database, as another process would have it; the same one if embedded. */
  another(): SqlClient;
  /** Closes what `another` opened. */
  closeOthers(): Promise<void>;
}

/** Runs the suites of what happens to an event after it is stored. */
export function describeDelivery(bench: DeliveryBench, api: TestApi): void {
  const { name } = bench;
  describeOutbox(
    name,
    store(bench, (of) => new PostgresOutbox(of)),
    api,
  );
  describeInbox(
    name,
    store(bench, (of) => new PostgresInbox(of)),
    api,
  );
  describeDeadLetterQueue(
    name,
    store(bench, (of) => new PostgresDeadLetterQueue(of)),
    api,
  );

  const schema = `Log "${randomBytes(6).toString('hex')}`;
  let migrated: Promise<unknown> | undefined;
  describeTransport(
    name,
    {
      capabilities: PostgresLogTransport.capabilities,
      quietMs: 150,
      create: async () => {
        await (migrated ??= migrate(bench.client(), { schema }));
        return {
          open: () => new PostgresLogTransport({ client: bench.another(), schema, standbyMs: 50 }),
          transactions: bench.client(),
          cleanup: () => bench.closeOthers(),
        };
      },
    },
    api,
  );
}

/** Each case in a schema of its own with an awkward name. */
function store<Store>(
  { dialect, client: open }: DeliveryBench,
  make: (of: { client: SqlClient; schema: string }) => Store,
): StoreConformanceOptions<Store> {
  return {
    capabilities: { transactions: true, concurrentTransactions: dialect === 'postgres' },
    async create(): Promise<StoreSubject<Store>> {
      const client = open();
      const schema = `Delivery "${randomBytes(6).toString('hex')}`;
      await migrate(client, { schema });
      return {
        store: make({ client, schema }),
        transactions: client,
        cleanup: async () =>
          void (await client.query(`DROP SCHEMA ${quoteIdentifier(schema)} CASCADE`)),
      };
    },
  };
}
