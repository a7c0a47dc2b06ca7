import { EventError } from '@waybill/core';
import { accepted, partitionOf } from '@waybill/core/adapter';
import type { Message, Publish } from '@waybill/core/adapter';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import {
  createTestDatabase,
  hasPostgres,
  type TestDatabase,
} from '../../../../scripts/services/test-database.ts';
import { message } from '../../test/log-bench.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient, SqlTransaction } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import { PostgresOutbox } from './outbox.ts';

const to = { destination: 'orders' } as const;
const pass = { ...to, partition: partitionOf('order-1'), limit: 10 };
const refusal = new EventError('TRANSPORT_UNAVAILABLE', 'full', { transport: 'test' });
const refuseAll: Publish = async (messages) =>
  messages.map(() => ({ status: 'refused', error: refusal }));

describe.skipIf(!hasPostgres())('a pass over the outbox, while others write to it', () => {
  let database: TestDatabase;
  let client: SqlClient;
  let outbox: PostgresOutbox;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = openPostgres({ connectionString: database.url });
    await migrate(client);
    outbox = new PostgresOutbox({ client });
  }, 60_000);
  afterEach(() => client.query('DELETE FROM outbox; DELETE FROM event_dlq'));
  afterAll(async () => {
    await client?.close();
    await database?.drop();
  });

  /** An outbox in whose passes something happens right after the look at the partition. */
  function outboxWith(meanwhile: () => Promise<unknown>): PostgresOutbox {
    let hasHappened = false;
    const slow = (tx: SqlTransaction): SqlTransaction =>
      new Proxy(tx, {
        get(target, name) {
          if (name !== 'query') return Reflect.get(target, name) as unknown;
          return async (text: string, ...rest: [unknown[]]) => {
            const result = await target.query(text, ...rest);
            if (!hasHappened && text.includes('pg_try_advisory_xact_lock(')) {
              hasHappened = true;
              await meanwhile();
            }
            return result;
          };
        },
      });
    const between = new Proxy(client, {
      get(target, name) {
        if (name === 'run') {
          const run: SqlClient['run'] = (work, options) =>
            target.run((tx) => work(slow(tx)), options);
          return run;
        }
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return new PostgresOutbox({ client: between });
  }

  /** Drains until nothing can be tried. @returns Ids in the order in which they were accepted. */
  async function drain(by: PostgresOutbox): Promise<string[]> {
    const taken: string[] = [];
    let outcome;
    do {
      outcome = await by.drain(pass, async (messages) => {
        taken.push(...idsOf(messages));
        return messages.map(({ id }) => accepted(id));
      });
    } while (outcome.status === 'drained' && outcome.more);
    return taken;
  }

  it('does not overtake what a process of an older version commits meanwhile', async () => {
    const [older, newer] = [message(), message()];
    const by = outboxWith(async () => {
      await outbox.add([older], to);
      await client.query(`UPDATE outbox SET destination = ''`);
      await outbox.add([newer], to);
    });
    expect(await drain(by)).toEqual(idsOf([older, newer]));
  });

  it('does not overtake a message that is refused and let go meanwhile', async () => {
    const [bad, behind] = [message(), message()];
    await outbox.add([bad, behind], to);
    const by = outboxWith(async () => {
      await client.query(
        `UPDATE outbox SET attempts = 1, refused_at = now(), retry_at = now() + interval '50 seconds',
                retryable = false, error_code = 'X', failure_reason = 'x'
         WHERE event_id = $1`,
        [bad.id],
      );
      await client.query('SELECT let_go_of_outbox_message(id) FROM outbox WHERE event_id = $1', [
        bad.id,
      ]);
    });
    expect(await drain(by)).toEqual([]);
    expect((await outbox.status()).waiting).toBe(1);
  });

  it('does not try again before its time what another relay was refused meanwhile', async () => {
    const bad = message();
    await outbox.add([bad], to);
    const by = outboxWith(() =>
      client.query(
        `UPDATE outbox SET attempts = 1, refused_at = now(), retry_at = now() + interval '50 seconds',
                retryable = false, error_code = 'X', failure_reason = 'x'`,
      ),
    );
    expect(await drain(by)).toEqual([]);
  });

  it('puts a message back once, however often it is asked for', async () => {
    const bad = message();
    await outbox.add([bad], to);
    await outbox.drain(pass, refuseAll);
    await client.query('SELECT let_go_of_outbox_message(id) FROM outbox', []);
    await client.query(`UPDATE event_dlq SET status = 'processing'`);
    await outbox.drain(pass, refuseAll);
    await client.query(`UPDATE event_dlq SET status = 'processing'`);
    await outbox.drain(pass, refuseAll);
    await client.query('UPDATE outbox SET retry_at = now()');
    expect(await drain(outbox)).toEqual([bad.id]);
  });

  it('puts a message back once that was let go twice', async () => {
    const bad = message();
    await outbox.add([bad], to);
    await outbox.drain(pass, refuseAll);
    await client.query('SELECT let_go_of_outbox_message(id) FROM outbox', []);
    await client.query(`UPDATE event_dlq SET status = 'processing'`);
    await outbox.drain(pass, refuseAll);
    await client.query('SELECT let_go_of_outbox_message(id) FROM outbox', []);
    await client.query(`UPDATE event_dlq SET status = 'processing'`);
    expect(await drain(outbox)).toEqual([bad.id]);
    expect(await outbox.status()).toMatchObject({ waiting: 0 });
  });

  it('ends a batch of messages whose time has come at its size, too', async () => {
    const small = new PostgresOutbox({ client, maxBatchBytes: 10 });
    const messages = [1, 2, 3].map((number) => message(neighbours[number]!, { body: '{"n":100}' }));
    await outbox.add(messages, to);
    await outbox.drain(pass, refuseAll);
    await client.query('UPDATE outbox SET retry_at = now()');
    const sizes: number[] = [];
    for (let number = 0; number < 3; number += 1) {
      await small.drain(pass, async (batch) => {
        sizes.push(batch.length);
        return batch.map(({ id }) => accepted(id));
      });
    }
    expect(sizes).toEqual([2, 1]);
  });

  it('tries again a message whose time was told by a clock that was put back since', async () => {
    const bad = message();
    await outbox.add([bad], to);
    await outbox.drain(pass, refuseAll);
    await client.query(`UPDATE outbox SET retry_at = now() + interval '1 hour'`);
    expect(await outbox.waitingPartitions(to.destination)).toEqual([pass.partition]);
    expect(await drain(outbox)).toEqual([bad.id]);
  });
});

const idsOf = (messages: readonly Message[]): string[] => messages.map(({ id }) => id);

/** Keys of the same partition. */
const neighbours = Array.from({ length: 10_000 }, (_, number) => `order-${number}`).filter(
  (key) => partitionOf(key) === partitionOf('order-1'),
);
