import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { holding, raise, recording } from '../../test/handlers.ts';
import { settle, until } from '../../test/until.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import { EventError } from '../errors.ts';
import type { Handler } from './handler.ts';
import type { MemoryTransaction } from '../memory/memory-transaction.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

describe('a handler past its timeout', () => {
  it('fails, and its retry waits until it has really returned', async () => {
    const group = bench.group();
    const slow = holding();
    let running = 0;
    group.on(
      ['item.*'],
      async (event, context) => {
        expect(++running).toBe(1);
        if (context.attempt.number === 1) await slow.handler(event, context);
        running -= 1;
      },
      { timeoutMs: 500 },
    );
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    await bench.clock.advance(60_000);
    expect(bench.seen.of('attempt-failed')).toEqual([]);
    slow.release('e1');
    await until(() => bench.seen.of('attempt-failed').length === 1, 'it failed');
    await bench.clock.advance(1_000);
    await bench.settled();
    expect(bench.seen.of('attempt-failed')).toMatchObject([{ error: { code: 'HANDLER_TIMEOUT' } }]);
    expect(bench.seen.of('processed').length).toBe(1);
  });

  it('writes nothing more through its transaction', async () => {
    const group = bench.group();
    const effects = new Map<string, string>();
    const slow = holding();
    group.on(
      ['item.*'],
      async (event, context) => {
        if (context.attempt.number === 1) await slow.handler(event, context);
        (context.tx as MemoryTransaction).set(effects, event.id, `try ${context.attempt.number}`);
      },
      { timeoutMs: 500, inbox: true },
    );
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    await bench.clock.advance(500);
    slow.release('e1');
    await settle();
    expect(effects.size).toBe(0);
    await bench.clock.advance(1_000);
    await bench.settled();
    expect([...effects]).toEqual([['e1', 'try 2']]);
  });

  it('that never settles stops its lane, turns health, and lets other keys flow', async () => {
    const group = bench.group({ concurrency: 2, timeoutMs: 1_000 });
    const { handled, handler } = recording();
    group.on(['item.*'], (event, context) =>
      event.id === 'stuck' ? new Promise<void>(() => {}) : handler(event, context),
    );
    await group.start();
    bench.publish({ id: 'stuck', subject: 'a' }, { id: 'behind', subject: 'a' }, { id: 'b1' });
    await settle();
    expect(group.health()).toEqual({ status: 'ok', reasons: [] });
    await bench.clock.advance(1_000);
    const unwell = {
      status: 'degraded',
      reasons: [
        'handler item.* is past its timeout and has not returned, since 2026-01-01T00:00:01.000Z',
      ],
    };
    expect(group.health()).toEqual(unwell);
    bench.publish({ id: 'b2' });
    await until(() => handled.includes('b2'), 'another key flows');
    // Another event of the same handler is no sign of life of the stuck one.
    expect(group.health()).toEqual(unwell);
    expect({ handled, pending: bench.pending() }).toEqual({ handled: ['b1', 'b2'], pending: 2 });
  });

  it('is well again once it has returned', async () => {
    const group = bench.group({ timeoutMs: 1_000 });
    const slow = holding();
    group.on(['item.*'], slow.handler, { retry: { maxRetries: 0 } });
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    await bench.clock.advance(1_000);
    expect(group.health().status).toBe('degraded');
    slow.release('e1');
    await bench.settled();
    expect(group.health().status).toBe('ok');
  });
});

describe('a handler', () => {
  const hostile = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('do not touch');
    },
  });
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'broken'],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['an error whose message throws', hostile],
    ['something that throws whatever is asked', new Proxy({}, { get: () => raise('no') })],
    ['a function', () => {}],
  ])('may throw %s, and it becomes a dead letter', async (_, thrown) => {
    const group = bench.group();
    group.on(['item.*'], () => raise(thrown), { retry: { maxRetries: 1 } });
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    await bench.clock.advance(1_000);
    await bench.settled();
    const [letter] = await bench.deadLetters.list();
    expect(letter).toMatchObject({ eventId: 'e1', totalAttempts: 2 });
    expect(letter!.failureReason).not.toBe('');
  });

  it('gets a payload that looks like a promise as it is', async () => {
    const group = bench.group();
    const seen: unknown[] = [];
    group.on(['item.*'], ({ data }) => void seen.push(data));
    await group.start();
    bench.publish({ id: 'e1', data: { then: 'x', toString: 1, constructor: { prototype: 2 } } });
    await bench.settled();
    expect(seen).toEqual([{ then: 'x', toString: 1, constructor: { prototype: 2 } }]);
  });

  it('that leaves a rejection behind does not break the settlement of its event', async () => {
    const group = bench.group();
    group.on(['item.*'], () => void Promise.reject(new Error('nobody waits for me')));
    const unhandled: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (error) => unhandled.push(error));
    try {
      await group.start();
      bench.publish({ id: 'e1' });
      await bench.settled();
      await settle();
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    expect(bench.seen.of('processed').length).toBe(1);
    expect(unhandled).toEqual([expect.objectContaining({ message: 'nobody waits for me' })]);
  });

  it('with an inbox waits while another process has the event open, without losing an attempt', async () => {
    const record = bench.inbox.record.bind(bench.inbox);
    let held = 3;
    bench.inbox.record = (...args) =>
      held-- > 0
        ? Promise.reject(new EventError('CLAIM_HELD', 'open elsewhere', { key: 'e1' }))
        : record(...args);
    const group = bench.group();
    const attempts: number[] = [];
    const handler: Handler = (_, { attempt }) => void attempts.push(attempt.number);
    group.on(['item.*'], handler, { inbox: true, retry: { maxRetries: 0 } });
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    await bench.clock.advance(1_000);
    await bench.settled();
    expect({ attempts, letters: await bench.deadLetters.list() }).toEqual({
      attempts: [1],
      letters: [],
    });
  });

  it.each([
    ['is away', new EventError('STORE_UNAVAILABLE', 'away', {})],
    [
      'refuses its user',
      new EventError('ACCESS_REFUSED', 'no', { server: 'test', refusal: '42501' }),
    ],
  ])('waits while the database %s before it begins, and health says so', async (_, away) => {
    let isAway = false;
    const transactions: ConsumerGroupOptions['transactions'] = {
      run: (work) =>
        isAway ? Promise.reject(away) : bench.database.run((tx) => work(tx as never)),
    };
    const group = bench.group({ transactions });
    const { handled, handler } = recording();
    group.on(['item.*'], handler, { inbox: true, retry: { maxRetries: 0 } });
    await group.start();
    isAway = true;
    bench.publish({ id: 'e1' });
    await settle();
    await bench.clock.advance(600_000);
    expect(group.health()).toEqual({
      status: 'degraded',
      reasons: [`handlers cannot begin: ${away.code}, since 2026-01-01T00:00:00.000Z`],
    });
    isAway = false;
    await bench.clock.advance(5_000);
    await bench.settled();
    expect({ handled, health: group.health().status }).toEqual({ handled: ['e1'], health: 'ok' });
    expect(await bench.deadLetters.list()).toEqual([]);
  });

  it('of a former owner neither runs, nor settles, nor leaves a dead letter', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const subscribe = transport.subscribe.bind(transport);
    const settles: string[] = [];
    transport.subscribe = (subscription, deliver) =>
      subscribe(subscription, (delivery) =>
        deliver({
          ...delivery,
          settle: () => void settles.push(delivery.message.id),
          fence: () =>
            Promise.reject(new EventError('CLAIM_LOST', 'another worker', { key: 'p0' })),
        }),
      );
    const group = bench.group({ transport });
    group.on(['item.*'], () => expect.fail('ran'), { inbox: true });
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => bench.seen.of('stale-refused').length === 1, 'the fence held');
    await settle();
    expect({ settles, letters: await bench.deadLetters.list() }).toEqual({
      settles: [],
      letters: [],
    });
  });

  it('settles its event once, also when the transport hands out its settle twice', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const subscribe = transport.subscribe.bind(transport);
    let settles = 0;
    transport.subscribe = (subscription, deliver) =>
      subscribe(subscription, (delivery) =>
        deliver({
          ...delivery,
          settle() {
            settles += 1;
            delivery.settle();
            delivery.settle();
          },
        }),
      );
    const group = bench.group({ transport });
    group.on(['item.*'], () => {}, { name: 'one' });
    group.on(['item.*'], () => {}, { name: 'two' });
    await group.start();
    bench.publish({ id: 'e1' }, { id: 'e2' });
    await bench.settled();
    expect(settles).toBe(2);
  });

  it('that blocks the event loop delays others, and loses nothing', async () => {
    const group = bench.group({ concurrency: 3 });
    const { handled, handler } = recording();
    group.on(['item.*'], (event, context) => {
      if (event.id === 'e1') for (let spin = 0; spin < 3e7; spin += 1);
      return handler(event, context);
    });
    await group.start();
    bench.publish({ id: 'e1' }, { id: 'e2' }, { id: 'e3' });
    await bench.settled();
    expect(handled.toSorted()).toEqual(['e1', 'e2', 'e3']);
  });

  it('goes through the middleware, the first one outermost', async () => {
    const calls: string[] = [];
    const around =
      (name: string) =>
      (next: Handler): Handler =>
      async (event, context) => {
        calls.push(`${name} in`);
        await next(event, context);
        calls.push(`${name} out`);
      };
    const group = bench.group({ middleware: [around('one'), around('two')] });
    group.on(['item.*'], () => void calls.push('handler'));
    await group.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(calls).toEqual(['one in', 'two in', 'handler', 'two out', 'one out']);
  });
});
