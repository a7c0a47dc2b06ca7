import { EventError, systemClock } from '@waybill/core';
import type { Clock } from '@waybill/core';
import { partitionOf } from '@waybill/core/adapter';
import type { Message } from '@waybill/core/adapter';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { BreakableClient } from '../../test/breakable-client.ts';
import { connectLog, LogProbe, message, waiting } from '../../test/log-bench.ts';
import { migrate } from '../migrate/migrate.ts';
import { openPglite } from '../client/pglite-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import type { PostgresLogTransport } from './log-transport.ts';

const partition = partitionOf('order-1');
const several = (count: number): Message[] => Array.from({ length: count }, () => message());
/** Keeps nothing in the health for as long as a minute. */
const impatientClock: Clock = {
  ...systemClock,
  schedule: (ms, callback) => systemClock.schedule(Math.min(ms, 1_000), callback),
};
/** A busy machine takes long to start an embedded database. */
const embeddedStartMs = 60_000;

describe('a consumer of the log in trouble', () => {
  let database: SqlClient;
  let client: BreakableClient;
  const open: PostgresLogTransport[] = [];
  beforeAll(async () => {
    database = await openPglite({ memory: true });
    await migrate(database);
  }, embeddedStartMs);
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.query(`TRUNCATE event_log, event_log_group, event_log_consumer`);
    await database.query('UPDATE event_log_head SET next_offset = 0');
    client = new BreakableClient(database);
  });
  afterEach(async () => {
    client.fails = () => false;
    await Promise.all(open.splice(0).map((transport) => transport.close()));
  });

  async function connect(options = {}): Promise<Awaited<ReturnType<typeof connectLog>>> {
    const connected = await connectLog({ client, pollMs: 20, ...options });
    open.push(connected.transport);
    return connected;
  }
  async function emptyTheLog(): Promise<void> {
    await database.query('TRUNCATE event_log');
    await database.query('UPDATE event_log_head SET next_offset = 0');
  }
  const deleteGroup = (): Promise<unknown> =>
    database.query(`DELETE FROM event_log_group WHERE group_name = 'billing'`);

  describe('whose log was emptied behind its back', () => {
    it('waits for an operator, says what to do, and begins anew without a restart', async () => {
      const before = await connect();
      await before.transport.publish(several(5));
      const first = await LogProbe.subscribe(before.transport, 'billing', { settle: true });
      await first.received(5);
      await before.transport.close();
      await emptyTheLog();

      const { transport, observed } = await connect();
      const stranded = await LogProbe.subscribe(transport, 'billing', { settle: true });
      let ended = false;
      stranded.consumer.finished.then(
        () => (ended = true),
        () => (ended = true),
      );
      expect(await stranded.inTrouble('CURSOR_FOREIGN')).toMatchObject({
        message: expect.stringContaining(
          `group billing is at offset 5 of partition ${partition}, but the log ends at 0`,
        ),
      });
      expect(String(stranded.troubles.at(-1))).toContain(
        `DELETE FROM event_log_group WHERE group_name = 'billing'`,
      );
      await transport.publish(several(3));
      expect(await stranded.inTrouble('CURSOR_FOREIGN')).toBeDefined();
      expect([ended, stranded.deliveries]).toEqual([false, []]);

      await deleteGroup();
      await stranded.received(3);
      await stranded.inTrouble(undefined);
      expect(stranded.counts.map(([, count]) => count)).toEqual([1, 1, 1]);
      expect(observed).toContainEqual(
        expect.objectContaining({
          code: 'NEW_GROUP_STARTS',
          message: expect.stringContaining('group billing is new'),
        }),
      );
    });

    it('notices it while it runs, gives up what is in hand, and begins anew likewise', async () => {
      const { transport } = await connect({ clock: impatientClock });
      const probe = await LogProbe.subscribe(transport, 'billing');
      await transport.publish(several(5));
      const held = (await probe.received(5))[4]!;
      await emptyTheLog();
      await probe.inTrouble('CURSOR_FOREIGN');
      expect(held.signal.aborted).toBe(true);
      const fresh = message();
      await transport.publish([fresh]);
      await deleteGroup();
      await vi.waitFor(() => expect(probe.ids.at(-1)).toBe(fresh.id), waiting);
      await probe.inTrouble(undefined);
    });

    it('goes on by itself when the log is as long as before: it was not looked at long enough', async () => {
      const { transport } = await connect({ clock: impatientClock });
      const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
      await transport.publish(several(5));
      await probe.received(5);
      await database.query('UPDATE event_log_head SET next_offset = 3 WHERE next_offset = 5');
      await probe.inTrouble('CURSOR_FOREIGN');
      await database.query('UPDATE event_log_head SET next_offset = 5 WHERE next_offset = 3');
      await probe.inTrouble(undefined);
      const [fresh] = several(1);
      await transport.publish([fresh!]);
      await vi.waitFor(() => expect(probe.ids.at(-1)).toBe(fresh!.id), waiting);
      expect(probe.counts.at(-1)).toEqual([fresh!.id, 1]);
    });

    it('lets a broadcast go on with what is appended from then on', async () => {
      const { transport } = await connect();
      const probe = await LogProbe.subscribe(transport, null, { settle: true });
      await transport.publish(several(5));
      await probe.received(5);
      await emptyTheLog();
      // What is appended before it has seen that lies behind its cursor.
      const appended: Message[] = [];
      await vi.waitFor(async () => {
        const fresh = message();
        await transport.publish([fresh]);
        appended.push(fresh);
        expect(probe.deliveries.length).toBeGreaterThan(5);
      }, waiting);
      const last = appended.at(-1)!.id;
      await vi.waitFor(() => expect(probe.ids.at(-1)).toBe(last), waiting);
      const begun = appended.findIndex(({ id }) => id === probe.ids[5]);
      expect(probe.ids.slice(5)).toEqual(appended.slice(begun).map(({ id }) => id));
    });
  });

  it('makes a group anew that somebody deleted while nobody had it', async () => {
    const { transport, observed } = await connect();
    const active = await LogProbe.subscribe(transport, 'billing', { settle: true });
    const standby = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await transport.publish(several(2));
    await active.received(2);
    await deleteGroup();
    await active.consumer.close();
    await standby.received(2);
    const isNew = { code: 'NEW_GROUP_STARTS' };
    expect(observed.filter((each) => 'code' in each && each.code === isNew.code)).toHaveLength(2);
    expect(standby.deliveries.map(({ mayBeRepeated }) => mayBeRepeated)).toEqual([true, true]);
    const [fresh] = several(1);
    await transport.publish([fresh!]);
    expect((await standby.received(3))[2]).toMatchObject({ mayBeRepeated: false });
  });

  it('leaves the group to others while it is paused, and takes its turn when it is resumed', async () => {
    const { transport } = await connect();
    const active = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await transport.publish(several(1));
    await active.received(1);
    const paused = await LogProbe.subscribe(transport, 'billing', { settle: true });
    paused.consumer.pause();
    await active.consumer.close();
    await transport.publish(several(1));
    // One that stands by looks every 20 ms.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const ready = await LogProbe.subscribe(transport, 'billing', { settle: true });
    await ready.received(1);
    await ready.consumer.close();
    await transport.publish(several(1));
    paused.consumer.resume();
    await paused.received(1);
    expect([ready.ids, paused.ids].flat()).toHaveLength(2);
  });

  it.each(['billing', null])(
    'loses nothing that is appended while it finds out that rows were deleted: group %s',
    async (group) => {
      const { transport } = await connect();
      const probe = await LogProbe.subscribe(transport, group, { settle: true });
      probe.consumer.pause();
      await transport.publish(several(5));
      await database.query('DELETE FROM event_log');
      const fresh = several(2);
      client.afterQuery = async (text) => {
        if (!text.includes('FROM unnest($')) return;
        client.afterQuery = undefined;
        await transport.publish([fresh[0]!]);
      };
      probe.consumer.resume();
      await vi.waitFor(() => expect(client.afterQuery).toBeUndefined(), waiting);
      await transport.publish([fresh[1]!]);
      await probe.received(2);
      expect(probe.ids).toEqual(fresh.map(({ id }) => id));
    },
  );

  it('is told while the watermark cannot be written, and pauses after maxAhead finished messages', async () => {
    const { transport, observed } = await connect({ maxAhead: 10, commitEveryMs: 1 });
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true, maxInFlight: 4 });
    client.fails = (text) => text.includes('SET committed_offset =');
    await transport.publish(several(50));
    await probe.received(10);
    await probe.inTrouble('STORE_UNAVAILABLE');
    expect(observed).toContainEqual(expect.objectContaining({ kind: 'consume-failed' }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(probe.deliveries).toHaveLength(10);
    client.fails = () => false;
    await probe.received(50);
    await probe.inTrouble(undefined);
  });

  it('goes on where the answer to a watermark got lost, written or not', async () => {
    const { transport, observed } = await connect({ commitEveryMs: 1 });
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    let lost = 0;
    client.afterQuery = (text) => {
      if (!text.includes('SET committed_offset =') || lost >= 3) return Promise.resolve();
      lost += 1;
      throw new EventError('STORE_UNAVAILABLE', 'no answer', { sqlState: undefined });
    };
    await transport.publish(several(20));
    await probe.received(20);
    await vi.waitFor(() => expect(lost).toBe(3), waiting);
    await transport.publish(several(5));
    await probe.received(25);
    await vi.waitFor(async () => {
      const { rows } = await database.query<{ at: bigint }>(
        'SELECT committed_offset AS at FROM event_log_group WHERE partition = $1',
        [partition],
      );
      expect(rows[0]!.at).toBe(25n);
    }, waiting);
    expect(probe.deliveries).toHaveLength(25);
    expect(observed).not.toContainEqual(expect.objectContaining({ kind: 'stale-refused' }));
  });

  it('does not write its watermark over one that it has not written', async () => {
    const { transport, observed } = await connect({ commitEveryMs: 1 });
    const probe = await LogProbe.subscribe(transport, 'billing');
    const sent = several(10);
    await transport.publish(sent);
    for (const delivery of (await probe.received(10)).slice(0, 5)) delivery.settle();
    await vi.waitFor(async () => {
      const { rowCount } = await database.query(
        'UPDATE event_log_group SET committed_offset = 2 WHERE committed_offset = 5',
      );
      expect(rowCount).toBe(1);
    }, waiting);
    for (const delivery of probe.deliveries.slice(5, 7)) delivery.settle();
    await probe.received(18);
    expect(observed).toContainEqual(
      expect.objectContaining({ kind: 'stale-refused', what: 'watermark' }),
    );
    expect(observed).toContainEqual(expect.objectContaining({ code: 'LOG_RESTORED' }));
    const again = probe.deliveries.slice(10);
    expect(again.map((each) => each.message.id)).toEqual(sent.slice(2).map(({ id }) => id));
    expect(again.every(({ mayBeRepeated }) => mayBeRepeated)).toBe(true);
  });

  it('is told while rows that may go cannot be deleted, and that is warned of once', async () => {
    const { transport, observed } = await connect({ pruneEveryMs: 10, retentionMs: 1 });
    const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
    let tries = 0;
    client.fails = (text) => {
      const isPruning = text.includes('DELETE FROM');
      if (isPruning) tries += 1;
      return isPruning;
    };
    await probe.inTrouble('STORE_UNAVAILABLE');
    await vi.waitFor(() => expect(tries).toBeGreaterThan(3), waiting);
    const warnings = observed.filter((each) => each.kind === 'warning');
    expect(warnings.filter(({ code }) => code === 'LOG_PRUNE_FAILED')).toHaveLength(1);
    client.fails = () => false;
    await probe.inTrouble(undefined);
  });

  it('is told when the database gives no answer, before any statement has failed', async () => {
    const { transport } = await connect();
    const idle = await LogProbe.subscribe(transport, 'billing');
    const standby = await LogProbe.subscribe(transport, 'billing');
    const silence = Promise.withResolvers<void>();
    client.silence = silence.promise;
    for (const probe of [idle, standby]) {
      expect(String(await probe.inTrouble('TRANSPORT_UNAVAILABLE'))).toContain('no answer');
    }
    client.silence = undefined;
    silence.resolve();
    for (const probe of [idle, standby]) await probe.inTrouble(undefined);
  });
});
