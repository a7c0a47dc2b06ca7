import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { holding, recording } from '../../test/handlers.ts';
import { settle, until } from '../../test/until.ts';
import type { MemoryTransaction } from '../memory/memory-transaction.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

describe('stopping', () => {
  it('waits for what is under way, and leaves nothing', async () => {
    const group = bench.group();
    const slow = holding();
    group.on(['item.*'], slow.handler);
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    const stopped = group.stop({ deadlineMs: 60_000 });
    bench.publish({ id: 'e2' });
    await settle();
    expect(bench.broker.inspect().groups).toMatchObject([{ pending: 1, lag: 1 }]);
    slow.release('e1');
    expect(await stopped).toEqual([]);
    expect({ begun: slow.begun, pending: bench.pending() }).toEqual({ begun: ['e1'], pending: 1 });
    expect(bench.clock.waiting).toBe(0);
    await group.finished;
  });

  it('names what is unfinished at the deadline, does not settle it, and the next worker gets it', async () => {
    const group = bench.group({ concurrency: 2 });
    const slow = holding();
    const signals: AbortSignal[] = [];
    group.on(
      ['item.*'],
      (event, context) => {
        signals.push(context.signal);
        return slow.handler(event, context);
      },
      { name: 'grade' },
    );
    await group.start();
    bench.publish({ id: 'a1', subject: 'a' }, { id: 'a2', subject: 'a' }, { id: 'b1' });
    await until(() => slow.begun.length === 2, 'two began');
    slow.release('b1');
    await settle();
    const unfinished = await bench.stop(group, 1_000);
    expect(unfinished).toMatchObject([
      { eventId: 'a1', handler: 'grade', coordinates: { position: '0' } },
      { eventId: 'a2', handler: undefined, coordinates: { position: '1' } },
    ]);
    expect(group.unfinished).toEqual(unfinished);
    expect(bench.seen.of('left-unfinished').map(({ eventId }) => eventId)).toEqual(['a1', 'a2']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);

    const next = bench.group();
    const { handled, handler } = recording();
    next.on(['item.*'], handler, { name: 'grade' });
    await next.start();
    await bench.settled();
    expect(handled).toEqual(['a1', 'a2']);
    expect(await bench.deadLetters.list()).toEqual([]);
  });

  it('lets a handler that returns after the deadline change nothing any more', async () => {
    const group = bench.group();
    const slow = holding();
    const { handled, handler } = recording();
    const effects = new Map<string, string>();
    group.on(
      ['item.*'],
      async (event, context) => {
        await slow.handler(event, context);
        (context.tx as MemoryTransaction).set(effects, event.id, 'too late');
      },
      { name: 'slow', inbox: true },
    );
    group.on(['item.*'], handler, { name: 'second' });
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    await bench.stop(group, 1_000);
    slow.release('e1');
    await settle();
    // Neither its effect, nor the handler after it, which the next worker runs by now.
    expect({ effects: effects.size, handled }).toEqual({ effects: 0, handled: [] });
    expect({ pending: bench.pending(), timers: bench.clock.waiting }).toEqual({
      pending: 1,
      timers: 0,
    });
    expect(bench.seen.of('attempt-failed')).toEqual([]);
  });

  it('neither settles nor goes on to the next handler when one returns after the deadline', async () => {
    const settles: string[] = [];
    const group = bench.group({
      transport: bench.transportWith({ onSettle: (id) => settles.push(id) }),
    });
    const slow = holding();
    const { handled, handler } = recording();
    group.on(['item.*'], slow.handler, { name: 'slow' });
    group.on(['item.*'], handler, { name: 'second' });
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    await bench.stop(group, 1_000);
    slow.release('e1');
    await settle();
    expect({ settles, handled }).toEqual({ settles: [], handled: [] });
  });

  it('begins nothing that a transport still hands out', async () => {
    const settles: string[] = [];
    const late: (() => void)[] = [];
    const transport = bench.transportWith({
      onSettle: (id) => settles.push(id),
      deliver: (deliver, delivery) => void late.push(() => deliver(delivery)),
    });
    const group = bench.group({ transport });
    const { handled, handler } = recording();
    group.on(['item.*'], handler);
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => late.length === 1, 'it was handed out');
    const stopped = group.stop();
    for (const hand of late) hand();
    await stopped;
    await settle();
    expect({ handled, settles, pending: bench.pending() }).toEqual({
      handled: [],
      settles: [],
      pending: 1,
    });
  });

  it('keeps no timer for a handler that never returns, so that the process can end', async () => {
    const group = bench.group();
    group.on(['item.*'], () => new Promise<void>(() => {}));
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    await bench.stop(group, 1_000);
    expect(bench.clock.waiting).toBe(0);
  });

  it('ends the wait for a retry, which the next worker makes', async () => {
    const group = bench.group();
    group.on(['item.*'], () => Promise.reject(new Error('not yet')), { name: 'grade' });
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => bench.seen.of('attempt-failed').length === 1, 'it failed');
    expect(await bench.stop(group, 500)).toMatchObject([{ eventId: 'e1', handler: 'grade' }]);
    await settle();
    expect({ letters: await bench.deadLetters.list(), pending: bench.pending() }).toEqual({
      letters: [],
      pending: 1,
    });
  });

  it('is one stop, however often it is asked for', async () => {
    const group = bench.group();
    const slow = holding();
    group.on(['item.*'], slow.handler);
    await group.start();
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    const first = group.stop({ deadlineMs: 5_000 });
    let secondEnded = false;
    const second = group.stop().finally(() => (secondEnded = true));
    await settle();
    expect(secondEnded).toBe(false);
    await bench.clock.advance(5_000);
    expect((await first).length).toBe(1);
    expect(await second).toBe(await first);
  });

  it('wins over a start that is still under way', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const { promise, resolve } = Promise.withResolvers<void>();
    const connect = transport.connect.bind(transport);
    transport.connect = () => promise.then(connect);
    const group = bench.group({ transport });
    const { handled, handler } = recording();
    group.on(['item.*'], handler);
    const started = group.start().catch((error: unknown) => error);
    const stopped = group.stop();
    resolve();
    expect(await started).toMatchObject({ code: 'STOPPING' });
    await stopped;
    bench.publish({ id: 'e1' });
    await settle();
    expect({ handled, running: group.running }).toEqual({ handled: [], running: false });
    const { streams } = await transport.inspect();
    expect(streams[0]!.groups).toMatchObject([{ consumers: 0 }]);
  });

  it('does not wait longer than its deadline for a start that hangs', async () => {
    const transport = new MemoryTransport();
    transport.connect = () => new Promise<void>(() => {});
    const group = bench.group({ transport });
    group.on(['item.*'], () => {});
    void group.start();
    expect(await bench.stop(group, 1_000)).toEqual([]);
    await group.finished;
  });

  it('before the start leaves nothing to start', async () => {
    const group = bench.group();
    group.on(['item.*'], () => {});
    expect(await group.stop()).toEqual([]);
    await expect(group.start()).rejects.toThrow(/^STOPPING/);
    await group.finished;
  });

  it.each([-1, NaN, '5' as unknown as number])('refuses a deadline of %s', async (deadlineMs) => {
    await expect(bench.group().stop({ deadlineMs })).rejects.toThrow(TypeError);
  });
});
