import { silentLogger } from '@waybill/core';
import { partitionOf, positionsOf } from '@waybill/core/adapter';
import type { GroupStart } from '@waybill/core';
import type { Message } from '@waybill/core/adapter';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { connectLog, LogProbe, message, waiting } from '../../test/log-bench.ts';
import { LogGroup } from './log-group.ts';
import { logTables } from './log-tables.ts';
import { PostgresLogTransport } from './log-transport.ts';
import { migrate } from '../migrate/migrate.ts';
import { openPglite } from '../client/pglite-client.ts';
import { PostgresEventBus } from '../bus/postgres-event-bus.ts';
import type { SqlClient } from '../client/sql-client.ts';

const partition = partitionOf('order-1');

/** Messages of one key, and so of one partition. */
const several = (count: number, key?: string): Message[] =>
  Array.from({ length: count }, () => message(key));
const idsOf = (messages: readonly { id: string }[]): string[] => messages.map(({ id }) => id);

/** A busy machine takes long to start an embedded database. */
const embeddedStartMs = 60_000;

describe('the log on an embedded database', () => {
  let client: SqlClient;
  const open: PostgresLogTransport[] = [];
  beforeAll(async () => {
    client = await openPglite({ memory: true });
    await migrate(client);
  }, embeddedStartMs);
  afterAll(() => client.close());
  beforeEach(async () => {
    await client.query(`TRUNCATE event_log, event_log_group, event_log_consumer`);
    await client.query('UPDATE event_log_head SET next_offset = 0');
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((transport) => transport.close()));
  });

  async function connect(options = {}): Promise<Awaited<ReturnType<typeof connectLog>>> {
    const connected = await connectLog({ client, ...options });
    open.push(connected.transport);
    return connected;
  }
  const groupRows = async (): Promise<Record<string, unknown>[]> => {
    const { rows } = await client.query(
      `SELECT partition, committed_offset::int AS committed, fetched_offset::int AS fetched
       FROM event_log_group WHERE fetched_offset > 0 ORDER BY partition`,
    );
    return rows;
  };

  it('puts offsets of a partition without a gap, in the order of the calls', async () => {
    const { transport } = await connect();
    const calls = Array.from({ length: 20 }, () => several(3));
    const outcomes = await Promise.all(calls.map((each) => transport.publish(each)));
    const positions = outcomes.map(positionsOf);
    const { rows } = await client.query<{ event_id: string; log_offset: bigint }>(
      'SELECT event_id, log_offset FROM event_log ORDER BY partition, log_offset',
    );
    expect(rows.map((row) => row.event_id)).toEqual(idsOf(calls.flat()));
    expect(rows.map((row) => Number(row.log_offset))).toEqual(rows.map((_, index) => index));
    expect(positions.flat()).toEqual(rows.map((row) => `${partition}-${row.log_offset}`));
  });

  it('refuses a message that no table can hold, and lets its neighbours through', async () => {
    const { transport } = await connect();
    const bad = (): Message => message('order\0-1');
    const [before, after, last] = [message(), message(), message()];
    const calls = [[before], [bad()], [bad(), after, bad()], [last]];
    const outcomes = (await Promise.all(calls.map((each) => transport.publish(each)))).flat();
    expect(outcomes.map(({ status }) => status)).toEqual([
      'accepted',
      'refused',
      'refused',
      'accepted',
      'refused',
      'accepted',
    ]);
    expect(outcomes[1]).toMatchObject({ error: { code: 'STORE_REJECTED', retryable: false } });
    const { rows } = await client.query<{ event_id: string }>('SELECT event_id FROM event_log');
    expect(new Set(rows.map((row) => row.event_id))).toEqual(new Set(idsOf([before, after, last])));
  });

  it('refuses by name to be published to from within a transaction that it would wait for', async () => {
    const { transport } = await connect();
    await client.run(async () => {
      await expect(transport.publish([message()])).rejects.toMatchObject({ code: 'TX_SELF_WAIT' });
    });
  });

  it.each<[GroupStart, string]>([
    ['earliest', 'with everything that is kept'],
    ['latest', 'with what comes from now on'],
    [new Date('2026-02-01T08:30:00.250Z'), 'with what came since 2026-02-01T08:30:00.250Z'],
  ])('says once that a new group begins: %s', async (start, where) => {
    const { transport, observed } = await connect();
    await LogProbe.subscribe(transport, 'billing', { start });
    await LogProbe.subscribe(transport, 'billing', { start: 'latest' });
    const warnings = observed.filter(({ kind }) => kind === 'warning');
    expect(warnings).toEqual([
      {
        kind: 'warning',
        code: 'NEW_GROUP_STARTS',
        message: expect.stringContaining(`group billing is new and begins ${where};`),
      },
    ]);
  });

  it('says it with the logger of the groups of a bus', async () => {
    const lines: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, line: string) => void lines.push(line) };
    const bus = new PostgresEventBus({ serviceName: 'billing', client, consumers: { logger } });
    await bus.subscribe(['order.*'], () => {});
    await bus.start();
    expect(lines).toEqual([expect.stringContaining('group billing-group is new')]);
    await bus.shutdown();
  });

  describe('begun at a time', () => {
    const noon = new Date('2026-02-01T12:00:00Z');

    /** Where the new group begins in the partition of `order-1`, whose rows are this old at noon. */
    async function beginAtNoon(agesMs: readonly number[]): Promise<unknown> {
      const { transport } = await connect();
      await transport.publish(several(agesMs.length));
      for (const [offset, ageMs] of agesMs.entries()) {
        await client.query(
          `UPDATE event_log SET appended_at = $1::timestamptz - $2::float8 * interval '1 millisecond'
           WHERE log_offset = $3`,
          [noon, ageMs, offset],
        );
      }
      return await firstOffset(noon);
    }
    async function firstOffset(start: Date): Promise<unknown> {
      await new LogGroup(client, logTables('public'), 'billing').ensure(start);
      const { rows } = await client.query<{ committed: number; fetched: number }>(
        `SELECT committed_offset::int AS committed, fetched_offset::int AS fetched
         FROM event_log_group WHERE group_name = 'billing' AND partition = ${partition}`,
      );
      expect(rows[0]!.fetched).toBe(rows[0]!.committed);
      return rows[0]!.committed;
    }

    it('gets the row that was appended at that very moment, and none before', async () => {
      expect(await beginAtNoon([2, 0.001, 0, -1, -2])).toBe(2);
    });

    it('begins at the end of a partition whose rows are all older', async () => {
      expect(await beginAtNoon([3, 2, 1])).toBe(3);
    });

    it('begins too early rather than too late where the clock was set back', async () => {
      expect(await beginAtNoon([60_000, -1_000, 5_000, -2_000])).toBe(1);
    });

    it('takes any time that a Date can hold', async () => {
      const { transport } = await connect();
      await transport.publish(several(3));
      expect(await firstOffset(new Date(-8.64e15))).toBe(0);
      await client.query('TRUNCATE event_log_group');
      expect(await firstOffset(new Date(8.64e15))).toBe(3);
    });
  });

  it('lets one consumer of a group stand by until the other one leaves', async () => {
    const { transport } = await connect();
    const [active, standby] = [
      await LogProbe.subscribe(transport, 'billing', { settle: true }),
      await LogProbe.subscribe(transport, 'billing', { settle: true }),
    ];
    const [first, second] = [several(3), several(3)];
    await transport.publish(first);
    await active.received(3);
    expect(standby.deliveries).toEqual([]);
    await active.consumer.close();
    await transport.publish(second);
    await standby.received(3);
    expect([active.ids, standby.ids]).toEqual([idsOf(first), idsOf(second)]);
  });

  it('writes the watermark up to the first message that is not finished', async () => {
    const { transport } = await connect();
    const probe = await LogProbe.subscribe(transport, 'billing');
    await transport.publish(several(5));
    const [one, two, three, four] = await probe.received(5);
    two!.settle();
    four!.settle();
    one!.settle();
    await vi.waitFor(async () => {
      expect(await groupRows()).toEqual([{ partition, committed: 2, fetched: 5 }]);
    }, waiting);
    three!.settle();
    await vi.waitFor(async () => {
      expect(await groupRows()).toEqual([{ partition, committed: 4, fetched: 5 }]);
    }, waiting);
  });

  it('does not count as handed out what was only read', async () => {
    const { transport } = await connect();
    await transport.publish(several(10));
    const probe = await LogProbe.subscribe(transport, 'billing', { maxInFlight: 4 });
    await probe.received(4);
    probe.consumer.setMaxInFlight(8);
    // Paused while the next four are being read: they wait in the process, and go back at the close.
    probe.consumer.pause();
    await probe.consumer.close();
    const delivered = probe.deliveries.length;
    const { committed, fetched } = (await groupRows())[0]!;
    expect([committed, fetched]).toEqual([0, delivered]);
    const next = await LogProbe.subscribe(transport, 'billing');
    await next.received(10);
    expect(next.counts.map(([, count]) => count)).toEqual(
      Array.from({ length: 10 }, (_, index) => (index < delivered ? 2 : 1)),
    );
  });

  it('stops reading a partition far beyond a message that nobody finishes, and no other one', async () => {
    const { transport } = await connect({ maxAhead: 10 });
    await transport.publish([...several(50), ...several(30, 'order-2')]);
    const settled: string[] = [];
    let stuck: { settle(): void } | undefined;
    await transport.subscribe(
      { group: 'billing', patterns: ['*'], start: 'earliest', maxInFlight: 5, worker: 'w' },
      (delivery) => {
        if (delivery.message.key === 'order-1' && !stuck) stuck = delivery;
        else {
          settled.push(delivery.message.key);
          delivery.settle();
        }
      },
    );
    const count = (key: string): number => settled.filter((each) => each === key).length;
    await vi.waitFor(() => expect(count('order-2')).toBe(30), waiting);
    // Up to maxInFlight more may be read in one go.
    expect(count('order-1')).toBeLessThan(10 + 5);
    stuck!.settle();
    await vi.waitFor(() => expect(count('order-1')).toBe(49), waiting);
  });

  it('counts a message that kills its process exactly, and its neighbours once in isolation', async () => {
    const key = 'order-1';
    const { transport } = await connect();
    const messages = several(6, key);
    await transport.publish(messages);
    const poison = messages[3]!.id;
    const counts: (number | undefined)[] = [];
    const neighbours: (number | undefined)[] = [];
    for (let life = 1; life <= 6; life += 1) {
      const probe = await LogProbe.subscribe(transport, 'billing', { maxInFlight: 6 });
      // The handlers finish in order; the one of the poison never does, and takes the process along.
      for (let at = 0; ; at += 1) {
        const delivery = (await probe.received(at + 1))[at]!;
        if (delivery.message.id === poison) {
          counts.push(delivery.deliveryCount);
          break;
        }
        if (life >= 3) neighbours.push(delivery.deliveryCount);
        if (life > 1 || at > 0) delivery.settle();
      }
      if (life >= 3) expect(probe.deliveries.at(-1)!.message.id).toBe(poison);
      await probe.consumer.close();
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 6]);
    // Nobody but the poison is counted from the third life on.
    expect(neighbours).toEqual([]);
    const last = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await last.received(3);
    expect(last.counts).toEqual([
      [poison, 7],
      [messages[4]!.id, 1],
      [messages[5]!.id, 1],
    ]);
    // Nobody counted them while the poison was set apart, but they were handed out all the same.
    expect(last.deliveries.map(({ mayBeRepeated }) => mayBeRepeated)).toEqual([true, true, true]);
  });

  it('delivers to everybody again once what it had set apart is through', async () => {
    const { transport } = await connect();
    await transport.publish([...several(4), ...several(4, 'order-2')]);
    for (let life = 1; life <= 2; life += 1) {
      const probe = await LogProbe.subscribe(transport, 'billing');
      await probe.received(8);
      await probe.consumer.close();
    }
    const third = await LogProbe.subscribe(transport, 'billing');
    for (let at = 0; at < 8; at += 1) {
      const delivery = (await third.received(at + 1))[at]!;
      // One at a time, over all partitions.
      expect(third.deliveries).toHaveLength(at + 1);
      expect(delivery.deliveryCount).toBe(3);
      delivery.settle();
    }
    await transport.publish(several(5));
    await third.received(13);
    expect(third.counts.slice(8).map(([, count]) => count)).toEqual([1, 1, 1, 1, 1]);
    const repeated = third.deliveries.map(({ mayBeRepeated }) => mayBeRepeated);
    expect(repeated).toEqual(Array.from({ length: 13 }, (_, index) => index < 8));
  });

  it('takes over from a process that is gone, and says so', async () => {
    const { transport, observed } = await connect();
    await transport.publish([message()]);
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await probe.received(1);
    await probe.consumer.close();
    await client.query(`UPDATE event_log_consumer SET owner_lock = 1, worker = 'dead'`);
    await LogProbe.subscribe(transport, 'billing');
    await vi.waitFor(() => {
      expect(observed).toContainEqual({
        kind: 'took-over',
        group: 'billing',
        what: 'the log, from dead',
      });
    }, waiting);
  });

  it('hands out nothing more, and reports it, once another token has taken its place', async () => {
    const { transport, observed } = await connect();
    const probe = await LogProbe.subscribe(transport, 'billing');
    await transport.publish([message()]);
    const [delivery] = await probe.received(1);
    await client.query(`UPDATE event_log_consumer SET token = 'other'`);
    await client.query(`UPDATE event_log_group SET token = 'other'`);
    const fenced = client.run((tx) => delivery!.fence!(tx));
    await expect(fenced).rejects.toMatchObject({ code: 'CLAIM_LOST' });
    expect(delivery!.signal.aborted).toBe(true);
    expect(observed).toContainEqual({ kind: 'stale-refused', group: 'billing', what: 'fence' });
    delivery!.settle();
    // It stands by, finds that nobody else lives, and gets the message once more.
    const again = (await probe.received(2))[1]!;
    expect([again.message.id, again.deliveryCount]).toEqual([delivery!.message.id, 2]);
  });

  it('refuses the watermark of a former owner', async () => {
    const { transport, observed } = await connect({ commitEveryMs: 1 });
    const probe = await LogProbe.subscribe(transport, 'billing');
    await transport.publish(several(2));
    const [delivery] = await probe.received(2);
    await client.query(`UPDATE event_log_group SET token = 'other'`);
    delivery!.settle();
    await vi.waitFor(() => {
      expect(observed).toContainEqual({
        kind: 'stale-refused',
        group: 'billing',
        what: 'watermark',
      });
    }, waiting);
  });

  it('goes on behind rows that somebody has deleted, and names the gap', async () => {
    const { transport, observed } = await connect();
    const messages = several(10);
    await transport.publish(messages);
    await client.query('DELETE FROM event_log WHERE log_offset < 4');
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await probe.received(6);
    await probe.consumer.close();
    await transport.publish(several(5));
    await client.query('DELETE FROM event_log');
    const next = await LogProbe.subscribe(transport, 'billing', { settle: true });
    const fresh = message();
    await vi.waitFor(() => {
      expect(observed).toContainEqual({
        kind: 'warning',
        code: 'LOG_GAP',
        message: expect.stringContaining(
          `at offset 15 of partition ${partition}: the rows from 10 on`,
        ),
      });
    }, waiting);
    await transport.publish([fresh]);
    await next.received(1);
    expect(next.ids).toEqual([fresh.id]);
  });

  it('deletes what every group has finished and nothing else, and begins new groups behind it', async () => {
    const { transport } = await connect();
    const messages = several(20);
    await transport.publish(messages);
    const fast = await LogProbe.subscribe(transport, 'fast', { settle: true });
    const slow = await LogProbe.subscribe(transport, 'slow');
    await fast.received(20);
    for (const delivery of (await slow.received(20)).slice(0, 8)) delivery.settle();
    await Promise.all([fast.consumer.close(), slow.consumer.close()]);
    expect(await transport.prune()).toBe(0);
    await client.query(`UPDATE event_log SET appended_at = appended_at - interval '8 days'`);
    expect(await transport.prune()).toBe(8);
    expect((await transport.inspect()).streams[0]!.length).toBe(12);
    const again = await LogProbe.subscribe(transport, 'slow', { settle: true });
    expect(idsOf((await again.received(12)).map((each) => each.message))).toEqual(
      idsOf(messages.slice(8)),
    );
    const late = await LogProbe.subscribe(transport, 'late', { settle: true });
    await late.received(12);
    expect(late.ids).toEqual(idsOf(messages.slice(8)));
  });

  it('prunes from time to time by itself', async () => {
    const { transport } = await connect({ pruneEveryMs: 10, retentionMs: 1 });
    await transport.publish(several(5));
    await vi.waitFor(async () => {
      expect((await transport.inspect()).streams[0]!.length).toBe(0);
    }, waiting);
  });

  it('is refused for lengths that make no sense', () => {
    for (const wrong of [
      { leaseMs: 0 },
      { pollMs: -1 },
      { maxAhead: Number.NaN },
      { schema: '' },
    ]) {
      expect(() => new PostgresLogTransport({ client, ...wrong })).toThrow(TypeError);
    }
  });
});
