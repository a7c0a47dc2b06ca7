import { EventError, isEventError } from '@waybill/core';
import type { Delivery, Message } from '@waybill/core/adapter';
import { spawnWorker } from '@waybill/testing';
import type { WorkerProcess } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { connectLog, LogProbe, message, waiting } from '../../test/log-bench.ts';
import type { LogConsumerArgs } from '../../test/workers/log-consumer.ts';
import type { PostgresLogTransport } from './log-transport.ts';
import { migrate } from '../migrate/migrate.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient } from '../client/sql-client.ts';

describe.skipIf(!hasPostgres())('the log on PostgreSQL', () => {
  let database: TestDatabase;
  let client: SqlClient;
  const open: { close(): Promise<void> }[] = [];
  beforeEach(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await migrate(client);
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
    await client.close();
    await database.drop();
  });

  /** A transport with a client of its own, as another process would have it. */
  async function connect(
    options: { leaseMs?: number; commitEveryMs?: number } = {},
  ): Promise<Awaited<ReturnType<typeof connectLog>>> {
    const own = openPostgres({ connectionString: database.url });
    const connected = await connectLog({ client: own, ...options });
    open.push(connected.transport, own);
    return connected;
  }
  const idleTransactions = `FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction'`;

  describe('appended to by many at once', () => {
    it('never shows an offset before the ones below it, and leaves no gap', async () => {
      const publishers = await Promise.all(Array.from({ length: 4 }, () => connect()));
      let publishing = true;
      const looks: Promise<void>[] = [0, 1].map(async () => {
        while (publishing) {
          const { rows } = await client.query<{ partition: number; last: bigint; count: bigint }>(
            `SELECT partition, max(log_offset) AS last, count(*) AS count
             FROM event_log GROUP BY partition`,
          );
          for (const { partition, last, count } of rows) {
            expect([partition, last + 1n]).toEqual([partition, count]);
          }
        }
      });
      await Promise.all(
        publishers.map(async ({ transport }, publisher) => {
          for (let call = 0; call < 40; call += 1) {
            const keys = Array.from({ length: 5 }, (_, at) => `key-${publisher}-${call * at}`);
            await transport.publish(keys.map((key) => message(key)));
          }
        }),
      );
      publishing = false;
      await Promise.all(looks);
      const { rows } = await client.query<{ total: bigint }>(
        'SELECT sum(next_offset)::bigint AS total FROM event_log_head',
      );
      expect(rows[0]!.total).toBe(4n * 40n * 5n);
    });

    it('keeps the order of each key for a reader in another process', async () => {
      const [one, two] = [await connect(), await connect()];
      const reader = await LogProbe.subscribe((await connect()).transport, 'billing', {
        settle: true,
      });
      const sent = await Promise.all(
        [one, two].map(async ({ transport }, publisher) => {
          const messages = Array.from({ length: 300 }, (_, at) =>
            message(`${publisher}-${at % 7}`),
          );
          for (let at = 0; at < 300; at += 3) await transport.publish(messages.slice(at, at + 3));
          return messages;
        }),
      );
      await reader.received(600);
      for (const key of new Set(sent.flat().map((each) => each.key))) {
        const ofKey = (messages: readonly Message[]): string[] =>
          messages.filter((each) => each.key === key).map(({ id }) => id);
        expect(ofKey(reader.deliveries.map((each) => each.message))).toEqual(ofKey(sent.flat()));
      }
    });
  });

  describe('read from a time on while many append', () => {
    it('misses nothing that was published later, wherever the group comes in between', async () => {
      const { transport } = await connect();
      const publishers = await Promise.all(Array.from({ length: 3 }, () => connect()));
      const sent: Message[] = [];
      let publishing = true;
      const running = publishers.map(async (publisher) => {
        while (publishing) {
          // Many keys, so that most partitions have nothing yet that is as young as the group's start.
          const next = message(`key-${sent.length}`);
          sent.push(next);
          await publisher.transport.publish([next]);
        }
      });
      const begun: { probe: LogProbe; from: number }[] = [];
      for (let round = 0; round < 40; round += 1) {
        const { rows } = await client.query<{ start: Date }>('SELECT clock_timestamp() AS start');
        const { start } = rows[0]!;
        const from = sent.length;
        const probe = await LogProbe.subscribe(transport, `since-${round}`, {
          start,
          settle: true,
          maxInFlight: 10_000,
        });
        begun.push({ probe, from });
      }
      publishing = false;
      await Promise.all(running);
      for (const { probe, from } of begun) {
        await vi.waitFor(() => {
          const got = new Set(probe.ids);
          expect(sent.slice(from).filter(({ id }) => !got.has(id))).toEqual([]);
        }, waiting);
      }
    });
  });

  describe('owned by one process at a time', () => {
    const workers: WorkerProcess[] = [];
    afterEach(async () => {
      for (const worker of workers.splice(0)) await worker[Symbol.asyncDispose]();
    });
    function spawnConsumer(given: Partial<LogConsumerArgs> & { worker: string }): WorkerProcess {
      const args: LogConsumerArgs = {
        connectionString: database.url,
        group: 'billing',
        leaseMs: 60_000,
        commitEveryMs: 5,
        settle: 'none',
        fence: false,
        ...given,
      };
      const worker = spawnWorker(
        new URL('../../test/workers/log-consumer.ts', import.meta.url),
        args,
      );
      workers.push(worker);
      return worker;
    }

    it('goes to a process that stood by as soon as its owner is killed, long before the lease ends', async () => {
      const { transport } = await connect();
      const [settled, unsettled] = [message(), message()];
      const owner = spawnConsumer({ worker: 'owner', settle: { allBut: [1] } });
      await owner.message('subscribed');
      const standby = spawnConsumer({ worker: 'standby' });
      await standby.message('subscribed');
      await transport.publish([settled, unsettled]);
      await owner.message('delivery');
      await owner.message('delivery');
      await vi.waitFor(async () => {
        const { rows } = await client.query(
          'SELECT FROM event_log_group WHERE committed_offset = 1',
        );
        expect(rows).toHaveLength(1);
      }, waiting);
      await owner.kill('SIGKILL');
      expect(await standby.message('took-over')).toMatchObject({ what: 'the log, from owner' });
      expect(await standby.message('delivery')).toMatchObject({
        id: unsettled.id,
        deliveryCount: 2,
      });
      const { transport: watching } = await connect();
      const { streams } = await watching.inspect();
      expect(streams[0]!.groups).toMatchObject([
        { name: 'billing', pending: 1, lag: 0, members: [{ name: 'standby', pending: 1 }] },
      ]);
    });

    it('goes on after a process that froze, whose fence, watermark and heartbeat are refused', async () => {
      const { transport } = await connect();
      const frozen = spawnConsumer({
        worker: 'frozen',
        leaseMs: 4_500,
        // Long enough that the watermark is still due when the process is stopped, on a slow machine too.
        commitEveryMs: 3_000,
        settle: { allBut: [1] },
        fence: true,
      });
      await frozen.message('subscribed');
      await transport.publish([message(), message()]);
      await frozen.message('fence-passed');
      frozen.signal('SIGSTOP');
      const standby = spawnConsumer({ worker: 'standby' });
      const took = await standby.message('took-over');
      expect(took).toMatchObject({ what: 'the log, from frozen' });
      await standby.message('delivery');
      await standby.message('delivery');

      frozen.signal('SIGCONT');
      expect(await frozen.message('fence-refused')).toMatchObject({ code: 'CLAIM_LOST' });
      const refused = new Set<string>();
      while (refused.size < 3) {
        refused.add((await frozen.message<{ what: string }>('stale-refused')).what);
      }
      expect(refused).toEqual(new Set(['fence', 'watermark', 'heartbeat']));
      const { rows } = await client.query<{ worker: string; committed: bigint }>(
        `SELECT worker, committed_offset AS committed FROM event_log_consumer
         JOIN event_log_group USING (group_name, token) WHERE fetched_offset > 0`,
      );
      expect(rows).toEqual([{ worker: 'standby', committed: 0n }]);
    });

    it('stays with the owner while a transaction that has passed its fence is open', async () => {
      const owner = await connect({ leaseMs: 60_000 });
      const held = await LogProbe.subscribe(owner.transport, 'billing');
      await owner.transport.publish([message()]);
      const [delivery] = await held.received(1);
      const other = await connect();
      let standby: LogProbe | undefined;
      await client.run(async (tx) => {
        await delivery!.fence!(tx);
        // As if the owner had died: nothing holds its lock any more.
        await client.query(`SELECT pg_terminate_backend(pid) ${idleTransactions}
                            AND query ~ 'advisory|SELECT 1$'`);
        standby = await LogProbe.subscribe(other.transport, 'billing');
        await vi.waitFor(() => {
          const failed = other.observed.find(({ kind }) => kind === 'consume-failed');
          expect(failed).toMatchObject({ error: { details: { sqlState: '55P03' } } });
        }, waiting);
        expect(standby.deliveries).toEqual([]);
      });
      await standby!.received(1);
      const late = client.run((tx) => delivery!.fence!(tx));
      await expect(late).rejects.toMatchObject({ code: 'CLAIM_LOST' });
    });

    it('owns the group although the answer to its claim got lost', async () => {
      const own = openPostgres({ connectionString: database.url });
      let answers = 0;
      const lossy: SqlClient = {
        dialect: own.dialect,
        query: (...statement) => own.query(...statement),
        listen: (...channel) => own.listen(...channel),
        close: () => own.close(),
        async run(...work) {
          const result = await own.run(...work);
          answers += 1;
          if (answers > 1) return result;
          throw new EventError('STORE_UNAVAILABLE', 'the connection was lost', {});
        },
      };
      const { transport } = await connectLog({ client: lossy, leaseMs: 60_000 });
      open.push(transport, own);
      const probe = await LogProbe.subscribe(transport, 'billing');
      await transport.publish([message()]);
      await probe.received(1);
      expect(answers).toBe(2);
    });

    it('takes its lock again when the connection of it was cut', async () => {
      const { transport } = await connect({ leaseMs: 300 });
      const probe = await LogProbe.subscribe(transport, 'billing', { settle: true });
      const holders = `SELECT pid, backend_xid, backend_xmin ${idleTransactions}`;
      // Now and then it is not idle: while the group is claimed, and while it looks whether it is there.
      const before = await vi.waitFor(async () => {
        const { rows } = await client.query<{ pid: number }>(holders);
        expect(rows).toHaveLength(1);
        return rows[0]!.pid;
      }, waiting);
      await client.query('SELECT pg_terminate_backend($1)', [before]);
      await vi.waitFor(async () => {
        const { rows } = await client.query<{ pid: number }>(holders);
        expect(rows.map(({ pid }) => pid)).not.toEqual([before]);
        // Neither a transaction id nor a snapshot: it holds nothing back.
        expect(rows).toEqual([{ pid: expect.anything(), backend_xid: null, backend_xmin: null }]);
      }, waiting);
      await transport.publish([message()]);
      await probe.received(1);
    });
  });

  it('loses nothing and keeps the order of keys while every connection is cut again and again', async () => {
    const [publisher, consumer] = [await connect(), await connect({ leaseMs: 600 })];
    const arrived: Delivery[] = [];
    const probe = await consumer.transport.subscribe(
      { group: 'billing', patterns: ['*'], start: 'earliest', maxInFlight: 50, worker: 'w' },
      (delivery) => {
        arrived.push(delivery);
        delivery.settle();
      },
    );
    const sent = Array.from({ length: 400 }, (_, at) => message(`key-${at % 9}`));
    let cuts = 0;
    let publishing = true;
    const cutting = (async () => {
      while (publishing || cuts < 5) {
        await client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
        cuts += 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    for (let at = 0; at < sent.length; at += 4) {
      await publishStubbornly(publisher.transport, sent.slice(at, at + 4));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    publishing = false;
    await cutting;
    const seen = (): Set<string> => new Set(arrived.map((each) => each.message.id));
    await vi.waitFor(() => expect(seen().size).toBe(400), waiting);
    for (let key = 0; key < 9; key += 1) {
      const first = [
        ...new Set(
          arrived
            .filter((each) => each.message.key === `key-${key}`)
            .map((each) => each.message.id),
        ),
      ];
      expect(first).toEqual(sent.filter((each) => each.key === `key-${key}`).map(({ id }) => id));
    }
    expect(cuts).toBeGreaterThanOrEqual(5);
    await probe.close();
  });

  it('wakes a broadcast in another process without waiting for its poll', async () => {
    const reader = openPostgres({ connectionString: database.url });
    const { transport } = await connectLog({ client: reader, pollMs: 3_600_000 });
    open.push(transport, reader);
    const probe = await LogProbe.subscribe(transport, null);
    const { transport: publisher } = await connect();
    await vi.waitFor(async () => {
      await publisher.publish([message()]);
      expect(probe.deliveries.length).toBeGreaterThan(0);
    }, waiting);
  });
});

/** A caller that was told that the outcome is unknown repeats the call with the same ids. */
async function publishStubbornly(
  transport: PostgresLogTransport,
  messages: readonly Message[],
): Promise<void> {
  for (;;) {
    try {
      await transport.publish(messages);
      return;
    } catch (error) {
      if (!isEventError(error, 'TRANSPORT_UNAVAILABLE')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
