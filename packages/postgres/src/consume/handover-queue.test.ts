import type { HandoverClaim, HandoverQuestion, NewHandover } from '@waybill/core/adapter';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openPglite } from '../client/pglite-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import { PostgresHandoverQueue } from './handover-queue.ts';

/** A busy machine takes long to start an embedded database. */
const embeddedStartMs = 60_000;
const kind = { handler: 'list', eventType: 'item.graded', eventVersion: 1 };

function handover(eventId: string, given: Partial<NewHandover> = {}): NewHandover {
  return {
    ...kind,
    group: 'listing',
    derived: false,
    eventId,
    source: 'grading',
    coordinates: { transport: 'postgres-log', stream: 'event_log', partition: 3, position: '3-17' },
    message: {
      id: eventId,
      type: kind.eventType,
      key: 'item-1',
      contentType: 'application/cloudevents+json',
      body: '{"grade":"B"}',
    },
    ...given,
  };
}

function question(
  { group, handler, source, eventId, message }: NewHandover,
  given: Partial<HandoverQuestion> = {},
): HandoverQuestion {
  return { group, handlers: [handler], source, eventId, key: message.key, ...given };
}

describe('the table of handovers', () => {
  let client: SqlClient;
  let queue: PostgresHandoverQueue;
  beforeAll(async () => {
    client = await openPglite({ memory: true });
    await migrate(client);
    queue = new PostgresHandoverQueue({ client });
  }, embeddedStartMs);
  afterAll(() => client.close());
  beforeEach(async () => {
    await client.query('TRUNCATE event_handover, event_handover_retired');
    await client.query('TRUNCATE event_group, event_group_handlers');
  });

  const claim = (limit: number): Promise<HandoverClaim[]> =>
    queue.claim('listing', { kinds: [kind], limit, leaseMs: 60_000, worker: 'worker-1' });
  const rowsOf = async (columns: string): Promise<readonly unknown[]> => {
    const { rows } = await client.query(`SELECT ${columns} FROM event_handover ORDER BY id`);
    return rows;
  };

  it('shows operators what waits, and what became of the rest', async () => {
    await queue.add([handover('e-1'), handover('e-2'), handover('e-3')]);
    await queue.add([handover('e-4', { handler: 'price' })]);
    await queue.settle((await claim(1))[0]!);
    await queue.retire('listing', 'price', { by: 'ops', reason: 'was\nrolled back' });
    const { rows } = await client.query(
      'SELECT group_name, handler, event_type, status, count FROM handover_summary',
    );
    const alike = { group_name: 'listing', event_type: 'item.graded' };
    expect(rows).toEqual([
      { ...alike, handler: 'list', status: 'waiting', count: 2n },
      { ...alike, handler: 'list', status: 'done', count: 1n },
      { ...alike, handler: 'price', status: 'skipped', count: 1n },
    ]);
    expect(await rowsOf('status, ended_by, notes')).toEqual([
      { status: 'done', ended_by: 'worker-1', notes: null },
      { status: 'waiting', ended_by: null, notes: null },
      { status: 'waiting', ended_by: null, notes: null },
      { status: 'skipped', ended_by: 'ops', notes: String.raw`was\x0arolled back` },
    ]);
  });

  it('lets operators give up a handler with one statement, which says how much was waiting', async () => {
    await queue.add([handover('e-1'), handover('e-2')]);
    const [claimed] = await claim(1);
    const { rows } = await client.query(
      `SELECT retire_handler('listing', 'list', 'ops', 'rolled back') AS skipped`,
    );
    expect(rows).toEqual([{ skipped: 2n }]);
    await queue.add([handover('e-3')]);
    const skipped = { status: 'skipped', ended_by: 'ops', notes: 'rolled back' };
    expect(await rowsOf('status, ended_by, notes')).toEqual([skipped, skipped, skipped]);
    expect(await queue.settle(claimed!)).toBe(false);
  });

  it('gives up no handler without who and why', async () => {
    await queue.add([handover('e-1')]);
    for (const given of ["'', 'why'", "'ops', ' '", "NULL, 'why'", "'ops', NULL"]) {
      const retired = client.query(`SELECT retire_handler('listing', 'list', ${given})`);
      await expect(retired).rejects.toMatchObject({ details: { sqlState: 'WB003' } });
    }
    expect(await claim(1)).toHaveLength(1);
  });

  it('takes a handler that is given up out of what its group has registered', async () => {
    await client.query(`INSERT INTO event_group (group_name, owner) VALUES ('listing', 'lister')`);
    const handlers = (...names: string[]): string =>
      JSON.stringify(names.map((name) => ({ name })));
    await client.query(
      `INSERT INTO event_group_handlers (group_name, set_id, service, worker, handlers, versions)
       VALUES ('listing', 'v1', 'lister', 'w-1', $1, '{}'), ('listing', 'v2', 'lister', 'w-2', $2, '{}'),
              ('listing', 'other', 'pricer', 'w-3', $1, '{}')`,
      [handlers('list'), handlers('list', 'price')],
    );
    const before = await client.query('SELECT version FROM event_group');
    await queue.retire('listing', 'list', { by: 'ops', reason: 'rolled back' });
    const { rows } = await client.query(
      'SELECT set_id, handlers FROM event_group_handlers ORDER BY set_id',
    );
    expect(rows).toEqual([
      { set_id: 'other', handlers: [{ name: 'list' }] },
      { set_id: 'v2', handlers: [{ name: 'price' }] },
    ]);
    expect(await client.query('SELECT version FROM event_group')).not.toEqual(before);
  });

  it('keeps names with control characters apart, and finds them again', async () => {
    const strange = handover('e\0', { group: 'listing', handler: 'list\n', source: 's\u2028' });
    await queue.add([strange]);
    await queue.add([strange]);
    const asked = [
      question(strange),
      question(strange, { handlers: ['list'] }),
      question(strange, { source: 's' }),
      question(strange, { eventId: 'e' }),
    ];
    expect(await queue.look(asked)).toEqual(['known', 'none', 'waiting', 'waiting']);
  });

  it('takes the values of any message, and of a call with very many of them', async () => {
    const body = Uint8Array.from({ length: 256 }, (_, index) => index);
    const message = { ...handover('e').message, body };
    const rows = Array.from({ length: 500 }, (_, at) => handover(`e-${at}`, { message }));
    await queue.add(rows);
    const claims = await claim(1_000);
    expect(claims.map((each) => each.handover.eventId)).toEqual(rows.map((row) => row.eventId));
    expect(claims.at(-1)!.handover.message).toEqual(message);
  });

  it.for([
    ['bytea_output', 'escape'],
    ['TimeZone', 'Asia/Kolkata'],
    ['IntervalStyle', 'sql_standard'],
    ['standard_conforming_strings', 'off'],
  ])('does not mind what others have set of a connection: %s', async ([name, value]) => {
    const body = Uint8Array.of(0, 92, 39, 255);
    const row = handover('e-1', { message: { ...handover('e-1').message, body } });
    await client.query(`SET ${name} = '${value}'`);
    try {
      await queue.add([row]);
      const [open] = await queue.open('listing');
      const [claimed] = await claim(1);
      expect(claimed!.handover).toMatchObject(row);
      expect(open!.oldest).toEqual(claimed!.handover.enteredAt);
      expect(Math.abs(Date.now() - open!.oldest.getTime())).toBeLessThan(60_000);
      expect(await queue.renew(claimed!, 60_000)).toBe(true);
      expect(await queue.settle(claimed!)).toBe(true);
    } finally {
      await client.query(`RESET ${name}`);
    }
  });

  it('says that it was refused where its table is missing', async () => {
    const elsewhere = new PostgresHandoverQueue({ client, schema: 'nowhere' });
    await expect(elsewhere.open('listing')).rejects.toMatchObject({ code: 'STORE_REJECTED' });
    await expect(elsewhere.add([handover('e-1')])).rejects.toMatchObject({
      code: 'STORE_REJECTED',
    });
  });
});
