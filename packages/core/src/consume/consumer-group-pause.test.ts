import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { holding, recording } from '../../test/handlers.ts';
import { RedriveBench } from '../../test/redrive-bench.ts';
import { settle, until } from '../../test/until.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';

let bench: RedriveBench;

beforeEach(() => {
  bench = new RedriveBench();
});

afterEach(() => bench.end());

describe('a paused group', () => {
  it('says so, and is well', async () => {
    const group = bench.group();
    group.on(['item.*'], () => {});
    await group.start();
    expect(group.paused).toBe(false);
    group.pause();
    group.pause();
    expect({ paused: group.paused, running: group.running, health: group.health() }).toEqual({
      paused: true,
      running: true,
      health: { status: 'ok', reasons: [] },
    });
    group.resume();
    group.resume();
    expect(group.paused).toBe(false);
  });

  it('lets what it has taken go on, also what waits for its turn', async () => {
    const group = bench.group();
    const slow = holding();
    group.on(['item.*'], slow.handler);
    await group.start();
    bench.publish({ id: 'a1', subject: 'a' }, { id: 'a2', subject: 'a' });
    await until(() => slow.begun.length === 1, 'it began');
    group.pause();
    bench.publish({ id: 'a3', subject: 'a' });
    slow.release('a1');
    await until(() => slow.begun.length === 2, 'the next one began');
    slow.release('a2');
    await settle();
    expect({ begun: slow.begun, pending: bench.pending() }).toEqual({
      begun: ['a1', 'a2'],
      pending: 1,
    });
    group.resume();
    await until(() => slow.begun.length === 3, 'it goes on');
    slow.release('a3');
    await bench.settled();
  });

  it('keeps what its transport hands out before it can be told, until it is resumed', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const subscribe = transport.subscribe.bind(transport);
    transport.subscribe = async (...args) => {
      const consumer = await subscribe(...args);
      await settle();
      return consumer;
    };
    bench.publish({ id: 'e1' }, { id: 'e2' });
    const group = bench.group({ transport });
    const { handled, handler } = recording();
    group.on(['item.*'], handler);
    group.pause();
    await group.start();
    await settle();
    expect(handled).toEqual([]);
    group.resume();
    await bench.settled();
    expect(handled).toEqual(['e1', 'e2']);
  });

  it('runs no dead letters again before it is resumed', async () => {
    const group = await bench.worker();
    const [letter] = await bench.failed('a1');
    group.pause();
    await bench.redrive(letter!);
    await bench.clock.advance(60_000);
    expect(bench.calls).toEqual([]);
    group.resume();
    await bench.clock.advance(0);
    await until(() => bench.calls.length === 1, 'it is run again');
    expect(await bench.statusOf(letter!)).toBe('resolved');
  });

  it('runs none either where it was paused before its start', async () => {
    await bench.stop(await bench.worker().then(async (group) => (await bench.failed('a1'), group)));
    const group = bench.group();
    const { handled, handler } = recording();
    group.on(['item.*'], handler, { name: 'grade' });
    group.pause();
    await group.start();
    const [letter] = await bench.deadLetters.list();
    await bench.redrive(letter!);
    expect(handled).toEqual([]);
    group.resume();
    await bench.clock.advance(1_000);
    await until(() => handled.length === 1, 'it is run again');
  });

  it('can be stopped, and leaves what it has not taken to others', async () => {
    const group = bench.group();
    group.on(['item.*'], () => {});
    group.pause();
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    expect(await bench.stop(group)).toEqual([]);
    group.resume();
    expect({ paused: group.paused, pending: bench.pending() }).toEqual({
      paused: false,
      pending: 1,
    });
  });
});
