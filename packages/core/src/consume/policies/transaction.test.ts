import { describe, expect, it } from 'vitest';

import { envelope } from '../../../test/envelope.ts';
import { delivery, invocation, registration } from '../../../test/invocation.ts';
import { Observations } from '../../../test/observations.ts';
import { until } from '../../../test/until.ts';
import { EventError } from '../../errors.ts';
import { MemoryDatabase } from '../../memory/memory-database.ts';
import { MemoryInbox } from '../../memory/memory-inbox.ts';
import type { MemoryTransaction } from '../../memory/memory-transaction.ts';
import type { TransactionOptions } from '../../transaction.ts';
import type { Delivery } from '../../transport/transport.ts';
import { Abort } from '../abort.ts';
import type { Invocation, Step } from './step.ts';
import { transaction } from './transaction.ts';

type Run = (
  database: MemoryDatabase,
  work: (tx: MemoryTransaction) => Promise<unknown>,
  options: TransactionOptions,
) => Promise<never>;

const away = new EventError('STORE_UNAVAILABLE', 'away', {});

function setUp(said: { fence?: Delivery['fence']; run?: Run } = {}) {
  const database = new MemoryDatabase();
  const seen = new Observations();
  const effects = new Map<string, number>();
  const asked: TransactionOptions[] = [];
  const transactions = {
    run: <T>(work: (tx: MemoryTransaction) => Promise<T>, options: TransactionOptions = {}) => {
      asked.push(options);
      return said.run ? said.run(database, work, options) : database.run(work, options);
    },
  };
  const policy = transaction({
    group: 'graders',
    transactions,
    inbox: new MemoryInbox(database),
    observe: seen.observe,
  });
  const add: Step = async (event, { tx }) => {
    (tx as MemoryTransaction).set(effects, event.id, (effects.get(event.id) ?? 0) + 1);
  };
  const handle = (next: Step, more: Partial<Invocation> = {}): Promise<void> =>
    policy(next)(
      envelope(),
      invocation({
        registration: registration({ inbox: true }),
        delivery: delivery(envelope(), said.fence ? { fence: said.fence } : {}),
        ...more,
      }),
    );
  return { seen, effects, asked, handle, add };
}

describe('the transaction of a handler', () => {
  it('commits the effect together with the memory of it, so that a repeat is skipped', async () => {
    const { effects, handle, add, seen } = setUp();
    await handle(add);
    await handle(() => expect.fail('the handler ran again'));
    expect(effects.get('event-1')).toBe(1);
    expect(seen.all).toMatchObject([
      { kind: 'duplicate-skipped', group: 'graders', handler: 'grade', eventId: 'event-1' },
    ]);
  });

  it('takes both back when the handler fails, so that the next attempt is not skipped', async () => {
    const { effects, handle, add } = setUp();
    const failing: Step = async (...call) => {
      await add(...call);
      throw new Error('after the effect');
    };
    await expect(handle(failing)).rejects.toThrow('after the effect');
    expect(effects.size).toBe(0);
    await handle(add);
    expect(effects.get('event-1')).toBe(1);
  });

  it('keeps out of the way of a handler without an inbox', async () => {
    const { asked, handle } = setUp();
    await handle(async (_, { tx }) => expect(tx).toBeUndefined(), {
      registration: registration({ inbox: false }),
    });
    expect(asked).toEqual([]);
  });

  it('keeps one handling per handler: another handler of the group has its own memory', async () => {
    const { effects, handle, add } = setUp();
    await handle(add);
    await handle(add, { registration: registration({ inbox: true, name: 'price' }) });
    expect(effects.get('event-1')).toBe(2);
  });

  it('runs what waits for the commit after it, and not at all after a rollback', async () => {
    const { handle } = setUp();
    const told: string[] = [];
    await handle(async (_, { afterCommit }) => {
      afterCommit(() => told.push('committed'));
      expect(told).toEqual([]);
    });
    await expect(
      handle(
        async (_, { afterCommit, tx }) => {
          afterCommit(() => told.push('never'));
          (tx as MemoryTransaction).rollBack('rolled back');
        },
        { registration: registration({ inbox: true, name: 'price' }) },
      ),
    ).rejects.toThrow(/^TX_FINISHED/);
    expect(told).toEqual(['committed']);
  });

  it('bounds the transaction by the timeout of the handler and a grace', async () => {
    const { asked, handle } = setUp();
    await handle(async () => {});
    expect(asked).toMatchObject([{ statementTimeoutMs: 35_000, idleTimeoutMs: 35_000 }]);
  });

  it('revokes the handle of a late handler, which writes nothing more', async () => {
    const { effects, handle, add } = setUp();
    const attempt = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    let begun = false;
    const late: Step = async (...call) => {
      begun = true;
      await promise;
      await add(...call);
    };
    const outcome = handle(late, { abort: new Abort(attempt.signal) });
    await until(() => begun, 'the handler began');
    attempt.abort();
    resolve();
    await expect(outcome).rejects.toThrow(/^TX_FINISHED/);
    expect(effects.size).toBe(0);
  });

  it('gives the message up when somebody else owns it by now', async () => {
    const lost = new EventError('CLAIM_LOST', 'partition 3 was taken over', { key: '3' });
    const given: unknown[] = [];
    const { handle, seen } = setUp({ fence: () => Promise.reject(lost) });
    await expect(
      handle(() => expect.fail('a former owner ran the handler'), {
        giveUp: (reason) => given.push(reason),
      }),
    ).rejects.toBe(lost);
    expect(given).toEqual([lost]);
    expect(seen.of('stale-refused')).toMatchObject([{ group: 'graders' }]);
  });

  it.each([
    { what: 'an answer to the commit', commits: true, thrown: undefined },
    { what: 'a statement of the handler', commits: false, thrown: away },
    { what: 'what the handler made of it', commits: false, thrown: new Error('cannot be booked') },
  ])('takes an attempt back that lost its connection: $what', async ({ commits, thrown }) => {
    const run: Run = async (database, work, options) => {
      await database.run(async (tx) => {
        await work(tx);
        if (commits) return;
        options.onLost!();
        throw thrown;
      });
      options.onLost!();
      throw away;
    };
    const { handle, effects, add } = setUp({ run });
    const progress = { attempts: 0, entered: false, lostConnections: 0 };
    const entering: Step = async (...call) => {
      progress.entered = true;
      await add(...call);
    };
    await expect(handle(entering, { progress })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
    });
    expect(progress).toEqual({ attempts: 0, entered: false, lostConnections: 1 });
    expect(effects.size).toBe(commits ? 1 : 0);
  });

  it('counts an attempt once its handler has lost ten connections', async () => {
    const mine = new Error('ends its own session');
    const { handle } = setUp({
      run: async (_database, work, options) => {
        await work({} as MemoryTransaction).catch(() => undefined);
        options.onLost!();
        throw mine;
      },
    });
    const progress = { attempts: 0, entered: true, lostConnections: 10 };
    await expect(handle(async () => {}, { progress })).rejects.toBe(mine);
    expect(progress).toMatchObject({ entered: true, lostConnections: 11 });
  });

  it('does not take a database that is away for a lost message', async () => {
    const { handle } = setUp({ fence: () => Promise.reject(away) });
    await expect(handle(async () => {}, { giveUp: () => expect.fail('given up') })).rejects.toBe(
      away,
    );
  });
});
