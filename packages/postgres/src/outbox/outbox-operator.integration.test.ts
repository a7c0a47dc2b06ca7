import { EventError } from '@waybill/core';
import { accepted, partitionOf } from '@waybill/core/adapter';
import type { Message, Publish } from '@waybill/core/adapter';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import { openPostgres } from '../client/pg-client.ts';
import { openPglite } from '../client/pglite-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { PostgresDeadLetterQueue } from '../consume/dead-letter-queue.ts';
import { migrate } from '../migrate/migrate.ts';
import { PostgresOutbox } from './outbox.ts';

const to = { destination: 'orders' } as const;
const pass = { ...to, partition: partitionOf('order-1'), limit: 10 };
const refusal = new EventError(
  'TRANSPORT_UNAVAILABLE',
  'the key holds something else',
  { transport: 'test' },
  { retryable: false },
);

let numbered = 0;
function message(given: Partial<Message> = {}): Message {
  numbered += 1;
  const [id, type] = [`event-${numbered}`, 'order.placed'];
  return { id, type, key: 'order-1', contentType: 'application/json', body: '{"n":1}', ...given };
}

interface Place {
  readonly client: SqlClient;
  readonly close: () => Promise<void>;
}

const places: readonly [name: string, isThere: boolean, open: () => Promise<Place>][] = [
  [
    'PostgreSQL',
    hasPostgres(),
    async () => {
      const database = await createTestDatabase();
      const client = openPostgres({ connectionString: database.url });
      const close = async (): Promise<void> => {
        await client.close();
        await database.drop();
      };
      return { client, close };
    },
  ],
  [
    'an embedded database',
    true,
    async () => {
      const client = await openPglite({ memory: true });
      return { client, close: () => client.close() };
    },
  ],
];

describe.each(places)('an operator of the outbox on %s', (_, isThere, open) => {
  let place: Place;
  let client: SqlClient;
  let outbox: PostgresOutbox;

  beforeAll(async () => {
    if (!isThere) return;
    place = await open();
    client = place.client;
    await migrate(client);
    outbox = new PostgresOutbox({ client });
  }, 60_000);
  afterEach(async () => {
    await client?.query('DELETE FROM outbox; DELETE FROM event_dlq; DELETE FROM event_destination');
  });
  afterAll(() => place?.close());

  /** Drains until nothing can be tried. @returns Ids in the order in which they were accepted. */
  async function drain(isRefused: (message: Message) => boolean = () => false): Promise<string[]> {
    const taken: string[] = [];
    const publish: Publish = async (messages) => {
      const held = new Set<string>();
      return messages.map((each) => {
        if (held.has(each.key) || isRefused(each)) {
          held.add(each.key);
          return { status: 'refused', error: refusal };
        }
        taken.push(each.id);
        return accepted(each.id);
      });
    };
    let outcome;
    do outcome = await outbox.drain(pass, publish);
    while (outcome.status === 'drained' && outcome.more);
    return taken;
  }

  /** Refuses a message, with two others behind it, and lets it go as an operator would. */
  async function letOneGo(given: Partial<Message> = {}): Promise<{
    bad: Message;
    behind: readonly Message[];
    deadLetterId: bigint;
  }> {
    const [bad, ...behind] = [message(given), message(), message()];
    await outbox.add([bad, ...behind], to);
    await drain(({ id }) => id === bad.id);
    const [refused] = (await outbox.status()).refused;
    const { rows } = await client.query<{ id: bigint }>(
      `SELECT let_go_of_outbox_message(${refused!.id}) AS id`,
      [],
    );
    return { bad, behind, deadLetterId: rows[0]!.id };
  }

  const idsOf = (messages: readonly Message[]): string[] => messages.map(({ id }) => id);

  it.skipIf(!isThere)('turns a refused message into a dead letter without a group', async () => {
    const { bad, deadLetterId } = await letOneGo({ headers: [['note', Uint8Array.of(0, 255)]] });
    expect((await outbox.status()).refused).toEqual([]);
    const deadLetter = await new PostgresDeadLetterQueue({ client }).get(String(deadLetterId));
    expect(deadLetter).toMatchObject({
      group: '',
      status: 'pending',
      eventId: bad.id,
      eventType: bad.type,
      failureReason: expect.stringContaining('the key holds something else'),
      totalAttempts: 1,
      message: bad,
    });
    const { rows } = await client.query('SELECT status, event_type, count FROM dlq_summary', []);
    expect(rows).toMatchObject([{ status: 'pending', event_type: 'order.placed' }]);
  });

  it.skipIf(!isThere)('keeps its key waiting while that is pending, and no other', async () => {
    const { behind } = await letOneGo();
    const other = message({ key: neighbourOf('order-1') });
    await outbox.add([message(), other], to);
    expect(await drain()).toEqual([other.id]);
    expect(await outbox.waitingPartitions(to.destination)).toEqual([]);
    await client.query(`UPDATE event_dlq SET status = 'skipped', resolution_notes = 'sold'`, []);
    expect((await drain()).slice(0, 2)).toEqual(idsOf(behind));
  });

  it.skipIf(!isThere).each<[string, Partial<Message>]>([
    ['text', {}],
    ['text with a NUL', { body: 'a\0b' }],
    ['bytes', { body: Uint8Array.of(0, 1, 255), headers: [['a', 'b']] }],
  ])('puts it back at its old place when it is to be sent after all: %s', async (_what, given) => {
    const { bad, behind, deadLetterId } = await letOneGo(given);
    await client.query(`UPDATE event_dlq SET status = 'processing' WHERE id = $1`, [deadLetterId]);
    expect(await outbox.waitingPartitions(to.destination)).toEqual([pass.partition]);
    const sent: Message[] = [];
    const away = outbox.drain(pass, () => Promise.reject(new Error('the broker is away')));
    await expect(away).rejects.toThrow('away');
    await outbox.drain(pass, async (messages) => {
      sent.push(...messages);
      return messages.map(({ id }) => accepted(id));
    });
    expect(sent).toEqual([bad]);
    expect(await drain()).toEqual(idsOf(behind));
    const { rows } = await client.query('SELECT status, resolution_notes FROM event_dlq', []);
    expect(rows).toEqual([{ status: 'resolved', resolution_notes: 'put back into the outbox' }]);
  });

  it.skipIf(!isThere)('cannot let go of what is not refused, or may be on its way', async () => {
    await outbox.add([message()], to);
    const letGo = (): Promise<unknown> =>
      client.query('SELECT let_go_of_outbox_message(id) FROM outbox', []);
    await expect(letGo()).rejects.toThrow('is not refused, or is being tried right now');
    await drain(() => true);
    await client.query(`UPDATE outbox SET retry_at = clock_timestamp()`, []);
    await expect(letGo()).rejects.toThrow('is not refused, or is being tried right now');
    expect((await outbox.status()).waiting).toBe(1);
  });

  it.skipIf(!isThere)('is not stopped by dead letters that name no destination', async () => {
    await client.query(
      `INSERT INTO event_dlq (original_event_id, event_type, event_data, failure_reason, status, key)
       VALUES ('e', 'order.placed', '{}', 'old', 'pending', 'order-1')`,
      [],
    );
    const own = message();
    await outbox.add([own], to);
    expect(await drain()).toEqual([own.id]);
  });

  it.skipIf(!isThere)('has rows of an older version relayed, in their place', async () => {
    const messages = [message(), message(), message()];
    await outbox.add(messages, to);
    await client.query(`UPDATE outbox SET destination = '' WHERE event_id = $1`, [messages[1]!.id]);
    await outbox.add([message({ key: neighbourOf('order-1') })], { destination: 'elsewhere' });
    expect(await outbox.waitingPartitions(to.destination)).toEqual([pass.partition]);
    expect(await drain()).toEqual(idsOf(messages));
    expect((await outbox.status()).destinations).toMatchObject([{ destination: 'elsewhere' }]);
  });

  it.skipIf(!isThere)('is told of destinations that nobody relays', async () => {
    await outbox.add([message()], { destination: 'elsewhere' });
    await outbox.add([message()], { destination: 'relayed' });
    await outbox.checkIn('relayed');
    expect((await outbox.checkIn(to.destination)).unrelayed).toEqual([]);
    await client.query(`UPDATE outbox SET created_at = created_at - interval '31 seconds'`, []);
    expect((await outbox.checkIn(to.destination)).unrelayed).toEqual(['elsewhere']);
    expect((await outbox.checkIn('elsewhere')).unrelayed).toEqual([]);
  });

  it.skipIf(!isThere)('sees one destination go on while another one does not answer', async () => {
    const [slow, quick] = [message(), message()];
    await outbox.add([slow], { destination: 'slow' });
    await outbox.add([quick], to);
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const hanging = outbox.drain({ ...pass, destination: 'slow' }, async (messages) => {
      ask();
      await answer;
      return messages.map(({ id }) => accepted(id));
    });
    await asked;
    expect(await drain()).toEqual([quick.id]);
    resolve();
    expect(await hanging).toMatchObject({ published: 1 });
  });
});

/** Another key of the same partition. */
function neighbourOf(key: string): string {
  for (let number = 0; ; number += 1) {
    const other = `other-${number}`;
    if (partitionOf(other) === partitionOf(key)) return other;
  }
}
