import { randomBytes } from 'node:crypto';

import { migrate } from '../src/migrate/migrate.ts';
import type { SqlClient } from '../src/client/sql-client.ts';
import { qualified } from '../src/client/sql-names.ts';

/** Name of the event table in every schema of a pool: one that has to be quoted, too. */
export const eventTable = 'Order.events';

const storeTables = [
  eventTable,
  'outbox',
  'event_destination',
  'inbox',
  'event_dlq',
  'event_handover',
  'event_handover_retired',
  'idempotency_keys',
];

/**
 * Migrated schemas with names that have to be quoted, each lent to one case at a time.
 *
 * To empty the tables takes a hundredth of the time in which a schema is migrated and dropped. What the
 * log remembers stays: it is shared by cases that keep apart by themselves, as a broker is.
 */
export class SchemaPool {
  readonly #free: string[] = [];

  /** @returns A schema whose stores are empty. */
  async take(client: SqlClient): Promise<string> {
    return this.#free.pop() ?? (await makeSchema(client));
  }

  async giveBack(client: SqlClient, schema: string): Promise<void> {
    // The numbers go on where they were: readers of this process remember how far they have seen.
    await client.query(
      storeTables.map((table) => `DELETE FROM ${qualified(schema, table)}`).join(';'),
    );
    this.#free.push(schema);
  }
}

/** Columns are added by hand, as a profile's migration would. */
async function makeSchema(client: SqlClient): Promise<string> {
  const schema = `Case "${randomBytes(6).toString('hex')}`;
  await migrate(client, { schema, eventTable });
  await client.query(
    `ALTER TABLE ${qualified(schema, eventTable)}
     ADD COLUMN tenant TEXT, ADD COLUMN floor INTEGER, ADD COLUMN fragile BOOLEAN`,
  );
  return schema;
}
