import { randomBytes } from 'node:crypto';

import {
  describeEventStore,
  describeIdempotencyStore,
  describeTransactions,
} from '@waybill/core/conformance';
import type { StoreConformanceOptions, StoreSubject, TestApi } from '@waybill/core/conformance';
import type { Profile } from '@waybill/core';

import { PostgresEventStore } from '../src/event-store.ts';
import { PostgresIdempotencyStore } from '../src/idempotency-store.ts';
import { migrate } from '../src/migrate.ts';
import { PostgresOutbox } from '../src/outbox.ts';
import { quoteIdentifier } from '../src/quote-identifier.ts';
import type { SqlClient } from '../src/sql-client.ts';

/** Profile of the suite: the column is added by hand, as a profile's migration would. */
const tenants: Profile = {
  name: 'tenants',
  attributes: [{ name: 'tenant', wire: 'tenant', column: 'tenant', validate: () => undefined }],
};

/** Runs the suites of the stores, each case in a schema of its own with an awkward name. */
export function describeStores(name: string, open: () => SqlClient, api: TestApi): void {
  const create =
    <Store>(make: (client: SqlClient, schema: string) => Store) =>
    async (): Promise<StoreSubject<Store>> => {
      const client = open();
      const schema = `Store "${randomBytes(6).toString('hex')}`;
      await migrate(client, { schema, eventTable: 'Order.events' });
      const quoted = quoteIdentifier(schema);
      await client.query(`ALTER TABLE ${quoted}."Order.events" ADD COLUMN tenant TEXT`);
      return {
        store: make(client, schema),
        transactions: client,
        cleanup: async () => void (await client.query(`DROP SCHEMA ${quoted} CASCADE`)),
      };
    };
  const suite = <Store>(
    concurrentTransactions: boolean,
    make: (client: SqlClient, schema: string) => Store,
  ): StoreConformanceOptions<Store> => ({
    capabilities: { transactions: true, concurrentTransactions },
    create: create(make),
  });
  const several = !name.startsWith('PGlite');
  const eventStore = suite(
    several,
    (client, schemaName) =>
      new PostgresEventStore({ client, schemaName, tableName: 'Order.events', profile: tenants }),
  );
  const attribute = { name: 'tenant', value: 'acme', other: 'umbrella' };
  describeEventStore(name, { ...eventStore, attribute }, api);
  describeIdempotencyStore(
    name,
    suite(several, (client, schema) => new PostgresIdempotencyStore({ client, schema })),
    api,
  );
  describeTransactions(
    name,
    suite(several, (client, schema) => new PostgresOutbox({ client, schema })),
    api,
  );
}
