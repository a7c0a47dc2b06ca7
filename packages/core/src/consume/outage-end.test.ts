import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench, idleTimers } from '../../test/engine-bench.ts';
import { settle, until } from '../../test/until.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { HandlerOptions } from './registration.ts';

let bench: EngineBench;
let isAway: boolean;

beforeEach(() => {
  bench = new EngineBench();
  isAway = true;
});

afterEach(() => bench.end());

/** A group in an outage of its handler, with events of so many keys. */
async function inOutage(keys: number, said: HandlerOptions = {}): Promise<ConsumerGroup> {
  const group = bench.group();
  group.on(
    ['item.graded'],
    () => {
      if (isAway) throw new Error('the scales are away');
    },
    { name: 'grade', ...said },
  );
  await group.start();
  bench.publish(...Array.from({ length: keys }, (_, key) => ({ id: `e${key}` })));
  await seconds(60);
  expect(group.health().status).toBe('degraded');
  return group;
}

async function seconds(count: number): Promise<void> {
  for (let second = 0; second < count; second += 1) {
    await settle();
    await bench.clock.advance(1_000);
  }
  await settle();
}

describe('the end of an outage', () => {
  it('comes with the stop of its group: no timer keeps the process, and its health is that of a stopped one', async () => {
    const group = await inOutage(20);
    await bench.stop(group, 1_000);
    expect(group.health()).toEqual({ status: 'ok', reasons: [] });
    expect(bench.clock.waiting).toBe(0);
  });

  it('comes although the event that is tried hangs', async () => {
    const group = bench.group();
    const calls: string[] = [];
    const { promise: hangs, resolve: release } = Promise.withResolvers<void>();
    let isHanging = false;
    group.on(
      ['item.graded'],
      async ({ id }) => {
        calls.push(id);
        if (isHanging) {
          isHanging = false;
          await hangs;
        }
        if (isAway) throw new Error('the scales are away');
      },
      { name: 'grade', timeoutMs: 5_000 },
    );
    await group.start();
    bench.publish(...Array.from({ length: 8 }, (_, key) => ({ id: `e${key}` })));
    await seconds(60);
    isHanging = true;
    await until(async () => (await seconds(1), !isHanging), 'one hangs');
    isAway = false;
    await seconds(60);
    expect(bench.pending()).toBe(1);
    expect(bench.seen.of('recovered')).toHaveLength(1);
    release();
    await seconds(60);
    expect(bench.pending()).toBe(0);
    expect(bench.clock.waiting).toBe(idleTimers);
  });

  it('does not come from an event that was handled before, and tells nothing about now', async () => {
    const group = await inOutage(8, { inbox: true });
    const key = { group: 'graders', handler: 'grade', formerly: [], source: 'tests', id: 'e1' };
    await bench.database.run((tx) => bench.inbox.record(key, tx));
    await seconds(120);
    expect(bench.seen.of('duplicate-skipped')).toHaveLength(1);
    expect(bench.seen.of('recovered')).toEqual([]);
    expect(group.health().status).toBe('degraded');
  });
});

describe('an outage over restarts', () => {
  it('makes no dead letters either, however often its group is stopped and started', async () => {
    for (let start = 1; start <= 8; start += 1) {
      const group = await inOutage(start === 1 ? 20 : 0);
      await bench.stop(group, 1_000);
    }
    expect(await bench.deadLetters.list()).toEqual([]);
  });
});
