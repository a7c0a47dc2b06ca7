import type { EventEnvelope, Header } from '@waybill/core';
import type { DeadLetterClaim, Message, NewDeadLetter } from '@waybill/core/adapter';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { PostgresDeadLetterQueue } from './dead-letter-queue.ts';
import { migrate } from '../migrate/migrate.ts';
import { openPglite } from '../client/pglite-client.ts';
import type { SqlClient } from '../client/sql-client.ts';

const event: EventEnvelope = {
  id: 'not a UUID',
  source: 'quickgradez',
  specversion: '1.0',
  type: 'item.graded',
  datacontenttype: 'application/json',
  time: '2026-03-01T12:00:00.000Z',
  version: 1,
  data: { grade: 'B' },
};

/** A message about the event, with a body of its own. */
function messageWith(body: string | Uint8Array, given: Partial<Message> = {}): Message {
  const contentType = 'application/cloudevents+json';
  return { id: event.id, type: event.type, key: '123456789', contentType, body, ...given };
}

function failure(given: Partial<NewDeadLetter> = {}): NewDeadLetter {
  return {
    group: 'quicklistz-group',
    handler: 'list',
    coordinates: { transport: 'postgres-log', stream: 'event_log', partition: 3, position: '3-17' },
    message: messageWith(JSON.stringify(event)),
    event,
    failureReason: 'no such item',
    failureType: 'permanent',
    totalAttempts: 3,
    fingerprint: 'f-1',
    ...given,
  };
}

const handling = {
  group: 'quicklistz-group',
  handler: 'list',
  source: 'quickgradez',
  eventId: 'not a UUID',
};

/** A busy machine takes long to start an embedded database. */
const embeddedStartMs = 60_000;

describe('the dead-letter table', () => {
  let client: SqlClient;
  let queue: PostgresDeadLetterQueue;
  beforeAll(async () => {
    client = await openPglite({ memory: true });
    await migrate(client);
    queue = new PostgresDeadLetterQueue({ client });
  }, embeddedStartMs);
  afterAll(() => client.close());
  beforeEach(async () => {
    await client.query('TRUNCATE event_dlq');
    await client.query('ALTER SEQUENCE event_dlq_id_seq RESTART WITH 123');
  });

  const claimOne = async (leaseMs = 60_000): Promise<DeadLetterClaim | undefined> => {
    const options = { limit: 1, leaseMs, worker: 'worker-1' };
    const [claim] = await queue.claim('quicklistz-group', options);
    return claim;
  };
  const resolved = `UPDATE event_dlq
SET status = 'resolved',
    resolved_at = NOW(),
    resolved_by = 'admin-user',
    resolution_notes = 'Manually fixed data and reprocessed'
WHERE id = 123;`;
  const skipped = `UPDATE event_dlq
SET status = 'skipped',
    resolved_at = NOW(),
    resolved_by = 'admin-user',
    resolution_notes = 'Duplicate event, safe to skip'
WHERE id = 123;`;
  const reprocess = `UPDATE event_dlq SET status = 'processing' WHERE id = 123;`;

  it('is asked once for a hundred dead letters, of events and of what is unreadable', async () => {
    const { coordinates } = failure();
    const places = Array.from({ length: 100 }, (_, index) => ({
      ...coordinates,
      position: `3-${index}`,
    }));
    const ids: string[] = [];
    for (const [index, place] of places.entries()) {
      const { event: _event, ...unreadable } = failure({ coordinates: place });
      const ofEvent = failure({ event: { ...event, id: `e-${index}` } });
      ids.push(await queue.add(index % 2 === 0 ? ofEvent : unreadable));
    }
    const statements: string[] = [];
    const listening: SqlClient = Object.assign(Object.create(client) as SqlClient, {
      query: (...args: Parameters<SqlClient['query']>) => {
        statements.push(args[0]);
        return client.query(...args);
      },
    });
    const found = await new PostgresDeadLetterQueue({ client: listening }).find(
      places.map((place, index) =>
        index % 2 === 0
          ? { ...handling, eventId: `e-${index}` }
          : { group: handling.group, coordinates: place },
      ),
    );
    expect(found.map((each) => each?.id)).toEqual(ids);
    expect(statements).toHaveLength(1);
  });

  describe('in the hands of an operator', () => {
    it('shows what is pending, and sums it up', async () => {
      await queue.add(failure());
      await queue.add(failure({ handler: 'index' }));
      const { rows } = await client.query("SELECT * FROM event_dlq WHERE status = 'pending'");
      expect(rows).toHaveLength(2);
      expect(rows[0]).toMatchObject({
        id: 123n,
        original_event_id: 'not a UUID',
        event_type: 'item.graded',
        event_data: event,
        failure_reason: 'no such item',
        failure_type: 'permanent',
        total_attempts: 3,
      });
      const { rows: breakdown } = await client.query(`SELECT
    event_type,
    failure_type,
    COUNT(*) as count
FROM event_dlq
WHERE status = 'pending'
GROUP BY event_type, failure_type;`);
      expect(breakdown).toEqual([
        { event_type: 'item.graded', failure_type: 'permanent', count: 2n },
      ]);
      const { rows: summary } = await client.query('SELECT * FROM dlq_summary');
      expect(summary).toMatchObject([{ status: 'pending', event_type: 'item.graded', count: 2n }]);
    });

    it('gives an entry that was set to processing to the failing group', async () => {
      await queue.add(failure());
      expect(await claimOne()).toBeUndefined();
      await client.query(reprocess);
      const claim = await claimOne();
      expect(claim!.deadLetter).toMatchObject({ id: '123', handler: 'list', event });
      expect(await claimOne()).toBeUndefined();
      expect(await queue.settle(claim!, { status: 'resolved' })).toBe(true);
      expect(await queue.get('123')).toMatchObject({ status: 'resolved', resolvedBy: 'worker-1' });
    });

    it.for([
      ['resolved', resolved],
      ['skipped', skipped],
    ] as const)('keeps an entry %s by hand, whoever was working on it', async ([status, sql]) => {
      await queue.add(failure());
      await client.query(reprocess);
      const claim = await claimOne();
      await client.query(sql);
      expect(await queue.renew(claim!, 60_000)).toBe(false);
      expect(await queue.settle(claim!, { status: 'resolved' })).toBe(false);
      expect(await queue.get('123')).toMatchObject({ status, resolvedBy: 'admin-user' });
    });

    it('gives an entry that is set to processing once more to a new claim, and not to the old one', async () => {
      await queue.add(failure());
      await client.query(reprocess);
      const old = await claimOne();
      await client.query(skipped);
      await client.query(reprocess);
      expect(await queue.settle(old!, { status: 'resolved' })).toBe(false);
      const claim = await claimOne();
      expect(await queue.settle(claim!, { status: 'resolved' })).toBe(true);
    });

    it('does not take an entry from its worker when it is set to processing again', async () => {
      await queue.add(failure());
      await client.query(reprocess);
      const claim = await claimOne();
      await client.query(reprocess);
      expect(await claimOne()).toBeUndefined();
      expect(await queue.settle(claim!, { status: 'resolved' })).toBe(true);
    });

    it('refuses a status that does not exist', async () => {
      await queue.add(failure());
      const typo = client.query("UPDATE event_dlq SET status = 'procesing' WHERE id = 123");
      await expect(typo).rejects.toMatchObject({ code: 'STORE_REJECTED' });
    });
  });

  describe('facing hostile failures', () => {
    it('cuts an error of 10 MB, and spells control characters out', async () => {
      const id = await queue.add(
        failure({
          failureReason: `\u001b[31mred\u001b[0m\nsecond line\u2028third\0${'x'.repeat(10_000_000)}`,
          errorStack: `Error\n\tat \u001b]0;title\u0007${'y'.repeat(10_000_000)}`,
        }),
      );
      const { failureReason, errorStack } = (await queue.get(id))!;
      expect(failureReason).toMatch(/^\\x1b\[31mred\\x1b\[0m\\x0asecond line\\u2028third\\x00xx/);
      expect(failureReason.length).toBeLessThan(2_200);
      expect(errorStack).toMatch(/^Error\n\tat \\x1b\]0;title\\x07yy/);
      expect(errorStack!.length).toBeLessThan(17_000);
    });

    it.for([
      ['NUL in a string', { text: 'a\0b' }],
      ['NUL in a key', { 'a\0b': 1 }],
      ['a lone surrogate', { text: '\ud800' }],
      ['nesting that would exhaust the parser', nested(3_000)],
    ] as const)('keeps the bytes of an event that JSONB refuses: %s', async ([, data]) => {
      const message = messageWith(JSON.stringify({ ...event, data }));
      const id = await queue.add(failure({ event: { ...event, data }, message }));
      const [found] = await queue.find([handling]);
      expect(found).toMatchObject({ id, message, eventId: 'not a UUID' });
      expect(found!.event).toBeUndefined();
    });

    it('keeps text with escapes that only look like those that JSONB refuses', async () => {
      const data = { text: String.raw`\u0000 \ud800 \\u0000`, emoji: '🎁', quote: '"[{' };
      const id = await queue.add(failure({ event: { ...event, data } }));
      expect((await queue.get(id))!.event).toEqual({ ...event, data });
    });

    it('keeps bytes that are no text, with no id, no type and no data', async () => {
      const body = Uint8Array.from({ length: 256 }, (_, index) => index);
      const message = messageWith(body);
      const { event: _event, ...unreadable } = failure({ handler: '', message });
      const id = await queue.add(unreadable);
      const found = (await queue.get(id))!;
      expect(found.message).toEqual(message);
      expect([found.event, found.eventId, found.eventType]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });

    it('shows names with control characters spelled out, and gives them back as they were', async () => {
      const headers: Header[] = [
        ['note', 'a\0\u001b[31m'],
        ['sig', Uint8Array.of(0, 255)],
      ];
      const message = messageWith('{', { id: 'm\0', key: 'k\n', contentType: 'c\u0007', headers });
      const id = await queue.add(failure({ message }));
      expect((await queue.get(id))!.message).toEqual(message);
      const { rows } = await client.query(
        'SELECT key, content_type, message_labels FROM event_dlq',
      );
      expect(rows).toMatchObject([
        {
          key: String.raw`k\x0a`,
          content_type: String.raw`c\x07`,
          message_labels: {
            headers: [
              ['note', { text: true }],
              ['sig', { base64: 'AP8=' }],
            ],
          },
        },
      ]);
    });

    it('reads a row from before it kept the labels of its message', async () => {
      const id = await queue.add(failure({ message: messageWith('{', { id: 'm' }) }));
      await client.query('UPDATE event_dlq SET message_labels = NULL');
      expect((await queue.get(id))!.message).toEqual(messageWith('{'));
    });

    it('keeps names with control characters apart, and finds them again', async () => {
      const coordinates = { transport: 'redis', stream: 'a\0b', position: '1\n' };
      const { event: _event, ...unreadable } = failure({ group: 'g\0', coordinates });
      const id = await queue.add(unreadable);
      const keys = ['g\0', 'g'].map((group) => ({ group, coordinates }));
      expect(await queue.find(keys)).toMatchObject([{ id }, null]);
    });

    it('does not overflow when attempts are added up', async () => {
      await queue.add(failure({ totalAttempts: 2_147_483_647 }));
      const id = await queue.add(failure({ totalAttempts: 5 }));
      expect((await queue.get(id))!.totalAttempts).toBe(2_147_483_647);
    });

    it('says of an id that is none that there is no such entry', async () => {
      for (const id of ['', 'abc', "1'; DROP TABLE event_dlq; --", '9'.repeat(30), '-1', '1.5']) {
        expect(await queue.get(id)).toBeNull();
        await expect(queue.redrive(id)).rejects.toMatchObject({ code: 'DEAD_LETTER_UNAVAILABLE' });
      }
    });
  });
});

describe('upgrading a dead-letter table that was made from the printed statement', () => {
  const printed = `CREATE TABLE event_dlq (
    id BIGSERIAL PRIMARY KEY,
    original_event_id UUID NOT NULL,
    event_type VARCHAR(255) NOT NULL,
    event_data JSONB NOT NULL,
    failure_reason TEXT NOT NULL,
    failure_type VARCHAR(50),               -- transient/permanent/unknown
    total_attempts INTEGER,
    status VARCHAR(50),                     -- pending/processing/resolved/skipped
    entered_dlq_at TIMESTAMPTZ NOT NULL
);`;
  const uuid = '3f2b8f6e-8f0a-4d5e-9a57-0b6f1f5c1a11';
  const row = `INSERT INTO event_dlq
    (original_event_id, event_type, event_data, failure_reason, failure_type, total_attempts, status, entered_dlq_at)
    VALUES ($1, 'item.graded', '{"grade":"B"}', 'it broke', $2, $3, $4, '2026-01-01T00:00:00Z')`;
  let client: SqlClient;
  beforeAll(async () => {
    client = await openPglite({ memory: true });
  }, embeddedStartMs);
  afterAll(() => client.close());
  beforeEach(async () => {
    await client.query(
      'DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET search_path TO public',
    );
    await client.query(printed);
  });

  it('keeps every row, also several of one event, and fills in what was left open', async () => {
    await client.query(row, [uuid, 'transient', 4, 'resolved']);
    await client.query(row, [uuid, null, null, null]);
    await migrate(client);
    const queue = new PostgresDeadLetterQueue({ client });
    expect(await queue.list()).toMatchObject([
      { id: '1', eventId: uuid, failureType: 'transient', totalAttempts: 4, status: 'resolved' },
      { id: '2', eventId: uuid, failureType: 'unknown', totalAttempts: 1, status: 'pending' },
    ]);
    expect((await queue.get('2'))!.message).toEqual({
      id: uuid,
      type: 'item.graded',
      key: '',
      contentType: 'application/json',
      body: '{"grade":"B"}',
    });
    expect(await queue.add(failure())).toBe('3');
  });

  it('takes over columns that somebody has added for the printed statements', async () => {
    await client.query(`ALTER TABLE event_dlq ADD COLUMN resolved_at TIMESTAMPTZ,
      ADD COLUMN resolved_by VARCHAR(255), ADD COLUMN resolution_notes TEXT`);
    await client.query(row, [uuid, 'permanent', 1, 'skipped']);
    await client.query("UPDATE event_dlq SET resolved_by = 'admin-user'");
    await migrate(client);
    const found = await new PostgresDeadLetterQueue({ client }).get('1');
    expect(found).toMatchObject({ status: 'skipped', resolvedBy: 'admin-user' });
  });

  it('gives an old row to its group once an operator has said which one that is', async () => {
    await client.query(row, [uuid, 'permanent', 1, 'pending']);
    await migrate(client);
    const queue = new PostgresDeadLetterQueue({ client });
    await client.query("UPDATE event_dlq SET status = 'processing' WHERE id = 1");
    const options = { limit: 10, leaseMs: 1_000, worker: 'worker-1' };
    expect(await queue.claim('quicklistz-group', options)).toEqual([]);
    await client.query("UPDATE event_dlq SET group_name = 'quicklistz-group' WHERE id = 1");
    expect(await queue.claim('quicklistz-group', options)).toHaveLength(1);
  });

  it('replaces the summary view, and stops by name at a view of somebody else', async () => {
    await client.query(
      'CREATE VIEW dlq_summary AS SELECT event_type, count(*) FROM event_dlq GROUP BY event_type',
    );
    await client.query('CREATE VIEW on_call AS SELECT original_event_id FROM event_dlq');
    await expect(migrate(client)).rejects.toMatchObject({
      code: 'MIGRATION_BLOCKED',
      details: { objects: ['public.on_call'] },
    });
    await client.query('DROP VIEW on_call');
    await migrate(client);
    const { rows } = await client.query('SELECT status, event_type, count FROM dlq_summary');
    expect(rows).toEqual([]);
  });
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}
