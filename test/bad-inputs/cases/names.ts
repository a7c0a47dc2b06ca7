import { randomBytes } from 'node:crypto';

import {
  EventSubscriber,
  IdempotencyHandler,
  MemoryEventBus,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  PostgresLogTransport,
  type SqlClient,
} from '@quickwms/events';
import { describe, expect, it } from 'vitest';

import { refusalOf } from '../support/doors.ts';
import { assertWholeLife, namesWithin, quoted, schemas } from '../support/whole-life.ts';

const attack = '"; drop schema public; --';

/** Schema, table and group that people have chosen, each pair for a reason. */
const awkward = [
  [`47 quotes the schema a${attack}`, `a${attack}`, `b${attack}`, `c${attack}`],
  ['48 takes names with quotes and dots', `it's "quoted".dotted`, 'Order."Events"', "it's.a"],
  ['48 takes names in upper case and reserved words', 'SELECT', 'Table', 'USER'],
  ['48 takes names that look like placeholders', `:'schema' %s %I \\`, ':"schema"', '%s $1'],
  ['48 takes names of any script, with line ends', 'Größe\n☃', 'Événements\t1', 'größe ☃'],
] as const;

/** Each way to say where the tables are. */
const placesOf: Record<string, (client: SqlClient, name: string) => unknown> = {
  'the schema of PostgresEventStore': (client, schemaName) =>
    new PostgresEventStore({ client, schemaName }),
  'the table of PostgresEventStore': (client, tableName) =>
    new PostgresEventStore({ client, tableName }),
  'the schema of PostgresEventBus': (client, schema) =>
    new PostgresEventBus({ serviceName: 'quickgradez', client, schema }),
  'the schema of PostgresLogTransport': (client, schema) =>
    new PostgresLogTransport({ client, schema }),
  'the schema of PostgresDeadLetterQueue': (client, schema) =>
    new PostgresDeadLetterQueue({ client, schema }),
  'the schema of EventSubscriber': (client, schemaName) =>
    new EventSubscriber(new MemoryEventBus({ serviceName: 'quickgradez' }), {
      database: client,
      schemaName,
    }),
  'the schema of IdempotencyHandler': (client, schemaName) =>
    new IdempotencyHandler({ database: client, schemaName }),
};

const impossible = {
  '49 refuses a name of 64 bytes': 'x'.repeat(64),
  '49 refuses a name of 64 bytes in 32 characters': 'ü'.repeat(32),
  '47 refuses an empty name': '',
  '47 refuses a name with a NUL character': 'a\0b',
  '47 refuses a name with half a surrogate pair': 'a\ud800',
  '47 refuses a name that ends the body of a function': 'a$$; drop schema public; --',
};

/** Inputs 47 to 50: names of schemas and tables. */
export function describeNames(client: () => SqlClient): void {
  describe('names of schemas and tables', () => {
    it.each(awkward)('%s', async (_, schema, table, group) => {
      const [others, inPublic] = [await schemas(client()), await namesWithin(client(), 'public')];
      await assertWholeLife(client(), { schema, table, group });
      expect(await schemas(client())).toEqual([...others, schema].sort());
      expect(await namesWithin(client(), 'public')).toEqual(inPublic);
    });

    describe.each(Object.entries(placesOf))('as %s', (_, construct) => {
      it.each(Object.entries(impossible))('%s', (_sentence, name) => {
        expect(() => construct(client(), name)).toThrow(TypeError);
      });
    });

    it.each(['pg_catalog', 'pg_temp', 'information_schema', '$user'])(
      '48 refuses the schema %s, which belongs to the server',
      (schemaName) => {
        expect(() => new PostgresEventStore({ client: client(), schemaName })).toThrow(
          /belongs to the server; choose another one/,
        );
      },
    );

    it('48 refuses a table that is named like one of the engine, and leaves nothing behind', async () => {
      const schemaName = `taken ${randomBytes(4).toString('hex')}`;
      for (const tableName of ['outbox', 'event_dlq', 'saga_state', 'waybill_migrations']) {
        const store = new PostgresEventStore({ client: client(), schemaName, tableName });
        expect(await refusalOf(() => store.initialize())).toMatchObject({
          name: 'EventError',
          code: expect.stringMatching(/^(STORE_REJECTED|MIGRATION_BLOCKED)$/),
          retryable: false,
        });
        expect(await schemas(client())).not.toContain(schemaName);
      }
    });

    it('50 keeps two names apart that differ in their last byte alone', async () => {
      const common = randomBytes(31).toString('hex');
      const names = [`${common}1`, `${common}2`];
      for (const name of names) {
        await assertWholeLife(client(), { schema: name, table: name, group: name.repeat(4) });
      }
      expect(await schemas(client())).toEqual(expect.arrayContaining(names));
      for (const name of names) {
        await client().query(`DROP SCHEMA ${quoted(name)} CASCADE`);
      }
    });

    it('50 refuses two names that PostgreSQL would cut to the same one', async () => {
      const before = await schemas(client());
      const common = 'x'.repeat(63);
      for (const schemaName of [`${common}1`, `${common}2`]) {
        expect(() => new PostgresEventStore({ client: client(), schemaName })).toThrow(
          /has 64 bytes; PostgreSQL would cut it after 63/,
        );
      }
      expect(await schemas(client())).toEqual(before);
    });
  });
}
