import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { envelope } from '../../test/envelope.ts';
import { holding, raise, recording } from '../../test/handlers.ts';
import { settle, until } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import type { Handler } from './handler.ts';
import { currentScope, runInScope } from '../handler-scope.ts';
import type { MemoryTransaction } from '../memory/memory-transaction.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

describe('several handlers of one group that want one event', () => {
  it('each get it, and it is settled once all have ended', async () => {
    const group = bench.group();
    const slow = holding();
    const { handled, handler } = recording();
    group.on(['item.graded'], handler, { name: 'first' });
    group.on(['item.*'], slow.handler, { name: 'slow' });
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'the second began');
    expect({ handled, pending: bench.pending() }).toEqual({ handled: ['e1'], pending: 1 });
    slow.release('e1');
    await bench.settled();
  });

  it('each have retries and a dead letter of their own', async () => {
    const group = bench.group();
    const calls: string[] = [];
    const failing =
      (name: string, failures: number): Handler =>
      (_, { attempt }) => {
        calls.push(`${name} ${attempt.number}`);
        if (attempt.number <= failures) throw new Error(`${name} fails`);
      };
    group.on(['item.*'], failing('recovers', 1), { name: 'recovers' });
    group.on(['item.*'], failing('fails', 9), { name: 'fails', retry: { maxRetries: 2 } });
    group.on(['item.*'], failing('works', 0), { name: 'works' });
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    await bench.clock.advance(4_000);
    await bench.settled();
    expect(calls).toEqual(['recovers 1', 'recovers 2', 'fails 1', 'fails 2', 'fails 3', 'works 1']);
    expect(await bench.deadLetters.list()).toMatchObject([
      { handler: 'fails', totalAttempts: 3, failureReason: 'fails fails' },
    ]);
  });

  it('never see what another one, or an attempt before, did to the event', async () => {
    const group = bench.group();
    const seen: unknown[] = [];
    const spoiling: Handler = (event) => {
      seen.push(structuredClone(event));
      event.id = 'spoilt';
      (event.data as { grade: string }).grade = 'spoilt';
      delete (event as Partial<typeof event>).subject;
      throw new Error('after spoiling it');
    };
    group.on(['item.*'], spoiling, { name: 'one', retry: { maxRetries: 1 } });
    group.on(['item.*'], spoiling, { name: 'two', retry: { maxRetries: 0 } });
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    await bench.clock.advance(1_000);
    await bench.settled();
    const original = envelope({ id: 'e1', subject: 'e1' });
    expect(seen).toEqual([original, original, original]);
    expect(await bench.deadLetters.list()).toMatchObject([
      { handler: 'one', eventId: 'e1', event: original },
      { handler: 'two', eventId: 'e1', event: original },
    ]);
    expect(bench.seen.of('attempt-failed').map(({ eventId }) => eventId)).toEqual(
      Array(3).fill('e1'),
    );
  });

  it('are told apart in the inbox, so that each effect happens once', async () => {
    const group = bench.group();
    const effects = new Map<string, number>();
    for (const name of ['one', 'two']) {
      const add: Handler = ({ id }, { tx }) => {
        const key = `${name} ${id}`;
        (tx as MemoryTransaction).set(effects, key, (effects.get(key) ?? 0) + 1);
      };
      group.on(['item.*'], add, { name, inbox: true });
    }
    await group.start();
    bench.publish({ id: 'e1' }, { id: 'e1' }, { id: 'e1', source: 'elsewhere' });
    await bench.settled();
    expect([...effects]).toEqual([
      ['one e1', 2],
      ['two e1', 2],
    ]);
    expect(bench.seen.of('duplicate-skipped').length).toBe(2);
  });
});

describe('starting', () => {
  it('is one start, however often it is asked for', async () => {
    const group = bench.group();
    const { handled, handler } = recording();
    group.on(['item.*'], handler);
    await Promise.all([group.start(), group.start()]);
    await group.start();
    expect(bench.broker.inspect().groups).toMatchObject([{ consumers: 1 }]);
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(handled).toEqual(['e1']);
  });

  it('begins a new group at the time that was said, whatever became of the Date since', async () => {
    bench.publish({ id: 'e1' });
    await bench.clock.advance(1_000);
    const start = new Date(bench.clock.now());
    bench.publish({ id: 'e2' });
    const group = bench.group({ start });
    start.setTime(0);
    const { handled, handler } = recording();
    group.on(['item.*'], handler);
    await group.start();
    await bench.settled();
    expect(handled).toEqual(['e2']);
  });

  it('may be tried again after the transport failed', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const connect = transport.connect.bind(transport);
    const refused = new EventError('ACCESS_REFUSED', 'no', {
      server: 'test',
      refusal: 'WRONGPASS',
    });
    transport.connect = () => Promise.reject(refused);
    const group = bench.group({ transport });
    const { handled, handler } = recording();
    group.on(['item.*'], handler);
    await expect(group.start()).rejects.toBe(refused);
    expect(group.health()).toEqual({ status: 'ok', reasons: [] });
    expect(group.running).toBe(false);
    transport.connect = connect;
    await group.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(handled).toEqual(['e1']);
  });

  it('is refused without a handler, which would lose everything', async () => {
    await expect(bench.group().start()).rejects.toThrow(TypeError);
  });

  it('ends the registration of handlers', async () => {
    const group = bench.group();
    group.on(['item.*'], () => {});
    await group.start();
    expect(() => group.on(['lot.*'], () => {})).toThrow(/^GROUP_RUNNING/);
  });

  it('leaves the scope of the handler that it is called in', async () => {
    const group = bench.group();
    const scopes: unknown[] = [];
    const queue = bench.deadLetters;
    const claim = queue.claim.bind(queue);
    queue.claim = (...args) => {
      scopes.push(currentScope());
      return claim(...args);
    };
    group.on(['item.*'], () => {});
    const scope = { event: envelope(), tx: {}, afterCommit: () => {} };
    await runInScope(scope, () => group.start());
    await bench.clock.advance(1_000);
    expect(new Set(scopes)).toEqual(new Set([undefined]));
  });
});

describe('a group', () => {
  it('names handlers by their patterns, apart from each other', () => {
    const group = bench.group();
    const names = [1, 2, 3].map(() => group.on(['item.*', 'lot.sold'], () => {}));
    expect(names).toEqual(['item.*,lot.sold', 'item.*,lot.sold#2', 'item.*,lot.sold#3']);
  });

  it('warns of wildcards in production, once, unless they are silenced', () => {
    const group = bench.group({ production: true });
    group.on(['*'], () => {}, { name: 'all' });
    group.on(['item.*'], () => {}, { name: 'meant', silence: ['WILDCARD_IN_PRODUCTION'] });
    group.on(['item.graded'], () => {}, { name: 'one' });
    expect(bench.seen.of('warning').map(({ message }) => message)).toEqual([
      expect.stringContaining('handler all takes every type'),
    ]);
  });

  it('handles more keys side by side when it is told to', async () => {
    const group = bench.group({ concurrency: 1 });
    const slow = holding();
    group.on(['item.*'], slow.handler);
    await group.start();
    bench.publish({ id: 'e1' }, { id: 'e2' }, { id: 'e3' });
    await settle();
    expect(slow.begun).toEqual(['e1']);
    group.setConcurrency(3);
    await settle();
    expect(slow.begun).toEqual(['e1', 'e2', 'e3']);
    for (const id of slow.begun) slow.release(id);
    await bench.settled();
  });

  it('takes as much from the transport as its concurrency asks for, also when changed early', async () => {
    const group = bench.group({ concurrency: 1 });
    group.on(['item.*'], holding().handler);
    group.setConcurrency(2);
    await group.start();
    for (let number = 0; number < 50; number += 1) bench.publish({ id: `e${number}` });
    await settle();
    expect(bench.broker.inspect().groups).toMatchObject([{ pending: 20 }]);
    group.setConcurrency(3);
    await settle();
    expect(bench.broker.inspect().groups).toMatchObject([{ pending: 30 }]);
  });

  it('names a slow handler once, unless it is silenced', async () => {
    const group = bench.group({ slowMs: 100 });
    const slow: Handler = () => bench.clock.sleep(500);
    group.on(['item.*'], slow, { name: 'slow' });
    group.on(['item.*'], slow, { name: 'meant', silence: ['SLOW_HANDLER'] });
    await group.start();
    bench.publish({ id: 'e1' }, { id: 'e2', subject: 'e1' });
    for (let step = 0; step < 4; step += 1) {
      await settle();
      await bench.clock.advance(500);
    }
    await bench.settled();
    expect(bench.seen.of('warning').map(({ message }) => message)).toEqual([
      expect.stringContaining('handler slow of group graders took 500 ms'),
    ]);
  });

  it('takes no more from the transport than may be in flight', async () => {
    const group = bench.group({ concurrency: 1, maxInFlight: 4 });
    const slow = holding();
    group.on(['item.*'], slow.handler);
    await group.start();
    for (let number = 0; number < 20; number += 1) bench.publish({ id: `e${number}` });
    await settle();
    const transport = new MemoryTransport({ broker: bench.broker });
    await transport.connect();
    expect((await transport.inspect()).streams[0]!.groups).toMatchObject([{ pending: 4, lag: 16 }]);
  });

  it('is failed, and says why, when its consumer has ended for good', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const subscribe = transport.subscribe.bind(transport);
    const { promise, reject } = Promise.withResolvers<void>();
    transport.subscribe = async (...args) =>
      Object.assign(await subscribe(...args), { finished: promise });
    const group = bench.group({ transport });
    group.on(['item.*'], () => {});
    await group.start();
    reject(new Error('group was deleted'));
    await expect(group.finished).rejects.toThrow('group was deleted');
    expect(group.health()).toEqual({
      status: 'failed',
      reasons: ['the consumer has ended: group was deleted, since 2026-01-01T00:00:00.000Z'],
    });
  });

  it('leaves an event unsettled, and says so, when the engine or an adapter falls over it', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const subscribe = transport.subscribe.bind(transport);
    transport.subscribe = (subscription, deliver) =>
      subscribe(subscription, (delivery) =>
        deliver({ ...delivery, settle: () => raise(new Error('adapter bug')) }),
      );
    const group = bench.group({ transport });
    group.on(['item.*'], () => {});
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => group.health().status === 'degraded', 'health turns');
    expect(group.health().reasons).toEqual([
      'an event stays unsettled: adapter bug, since 2026-01-01T00:00:00.000Z',
    ]);
    expect(bench.seen.of('left-unfinished')).toMatchObject([{ eventId: 'e1' }]);
  });

  it('goes on although its observer throws', async () => {
    const group = bench.group({ observer: () => raise(new Error('observer bug')) });
    const { handled, handler } = recording();
    group.on(['item.*'], handler);
    await group.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(handled).toEqual(['e1']);
  });
});
