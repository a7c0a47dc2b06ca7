// Inputs 31 and 60, which only a server can answer.

import { randomUUID } from 'node:crypto';

import {
  EventSubscriber,
  openPostgres,
  PostgresDeadLetterQueue,
  PostgresEventBus,
  PostgresEventStore,
  type SqlClient,
} from '@quickwms/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  createTestDatabase,
  hasPostgres,
  type TestDatabase,
} from '../../scripts/services/test-database.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { refusalOf } from './support/doors.ts';
import { messageOf, wireEvent } from './support/messages.ts';
import { quoted } from './support/whole-life.ts';

describe.skipIf(!hasPostgres())('over PostgreSQL', () => {
  let database: TestDatabase;
  let client: SqlClient;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await new PostgresEventStore({ client }).initialize();
  });
  afterAll(async () => {
    await client.close();
    await database.drop();
  });

  it('31 keeps a body of 100 MB as a dead letter, and goes on', async () => {
    const bus = new PostgresEventBus({ serviceName: 'quickgradez', client });
    const handled: string[] = [];
    const subscriber = new EventSubscriber(bus).onDomain('*', ({ id }) => void handled.push(id));
    await subscriber.start();
    const body = Buffer.alloc(100_000_000, 'x');
    const good = wireEvent();
    await bus.transport.publish([messageOf(body)]);
    await bus.transport.publish([messageOf(JSON.stringify(good))]);
    await waitUntil('the good one was handled', () => handled.length > 0, 100_000);
    expect(handled).toEqual([good.id]);
    const [letter] = await new PostgresDeadLetterQueue({ client }).list();
    expect(letter).toMatchObject({
      errorCode: 'MESSAGE_UNPARSEABLE',
      failureReason: expect.stringContaining(
        'the body takes 100000000 bytes, the limit is 1048576',
      ),
    });
    expect(body.equals(letter!.message.body as Uint8Array)).toBe(true);
    expect(subscriber.health()).toEqual({ status: 'ok', reasons: [] });
    await bus.shutdown();
  }, 120_000);

  it('60 connects with a password that holds @, /, ?, # and %, written as a URL wants it', async () => {
    const role = `dock ${randomUUID()}`;
    const password = `p@ss/w#r?d%${randomUUID()}`;
    await client.query(`CREATE ROLE ${quoted(role)} LOGIN PASSWORD '${password}'`);
    const url = new URL(database.url);
    url.username = encodeURIComponent(role);
    url.password = encodeURIComponent(password);
    const own = openPostgres({ connectionString: url.href });
    const { rows } = await own.query('SELECT current_user AS who');
    expect(rows).toEqual([{ who: role }]);
    await own.close();

    url.password = encodeURIComponent(`${password} mistyped`);
    const wrong = openPostgres({ connectionString: url.href });
    const refusal = await refusalOf(() => wrong.query('SELECT 1'));
    expect(refusal).toMatchObject({ code: 'ACCESS_REFUSED', details: { refusal: '28P01' } });
    expect(String(refusal)).not.toContain('mistyped');
    await wrong.close();
    await client.query(`DROP ROLE ${quoted(role)}`);
  });
});
