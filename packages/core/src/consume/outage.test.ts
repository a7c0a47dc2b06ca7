import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench, idleTimers } from '../../test/engine-bench.ts';
import { settle, until } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import type { ConsumerGroup } from './consumer-group.ts';

let bench: EngineBench;
let isAway: boolean;
let calls: string[];

beforeEach(() => {
  bench = new EngineBench();
  isAway = true;
  calls = [];
});

afterEach(() => bench.end());

/** A group whose handler fails while what it needs is away. */
async function grading(said: Partial<ConsumerGroupOptions> = {}): Promise<ConsumerGroup> {
  const group = bench.group(said);
  group.on(
    ['item.graded'],
    ({ id }) => {
      calls.push(id);
      if (isAway) throw new Error('the scales are away');
    },
    { name: 'grade' },
  );
  await group.start();
  return group;
}

/** Publishes events of so many keys, two of each. */
function publishPairs(keys: number): void {
  for (const round of [1, 2]) {
    const numbers = Array.from({ length: keys }, (_, key) => key);
    bench.publish(...numbers.map((key) => ({ id: `${key}-${round}`, subject: `key-${key}` })));
  }
}

/** Lets so many minutes pass, a second at a time. */
async function minutes(count: number): Promise<void> {
  for (let second = 0; second < count * 60; second += 1) {
    await settle();
    await bench.clock.advance(1_000);
  }
}

describe('an outage', () => {
  it('makes no dead letters however long it lasts, and ends with everything handled in order', async () => {
    const group = await grading();
    publishPairs(20);
    await minutes(30);
    expect(await bench.deadLetters.list()).toEqual([]);
    expect(group.health().reasons).toEqual([
      expect.stringMatching(
        /^handler grade of group graders has failed for 5 keys in a row, so its events wait until one of them succeeds: the scales are away, since 2026/,
      ),
    ]);
    const tried = calls.length;
    await minutes(10);
    expect(calls.length - tried).toBeLessThanOrEqual(40 + 1);
    isAway = false;
    await until(async () => (await minutes(1), bench.pending() === 0), 'all are handled');
    for (let key = 0; key < 20; key += 1) {
      const ofKey = calls.filter((id) => id.startsWith(`${key}-`));
      expect(ofKey.slice(-2)).toEqual([`${key}-1`, `${key}-2`]);
    }
    expect(await bench.deadLetters.list()).toEqual([]);
    expect(group.health()).toEqual({ status: 'ok', reasons: [] });
    expect(bench.seen.of('trouble')).toMatchObject([{ who: 'handler', name: 'graders/grade' }]);
    expect(bench.seen.of('recovered')).toMatchObject([{ who: 'handler', name: 'graders/grade' }]);
    expect(bench.clock.waiting).toBe(idleTimers);
  });

  it('tries one event at a time, of one key after the other', async () => {
    await grading({ concurrency: 50 });
    publishPairs(20);
    await settle();
    const begun = calls.length;
    await minutes(30);
    const probed = calls.slice(begun);
    // Those that had failed before it was noticed join in when their pause is over.
    expect(new Set(probed.slice(0, 25)).size).toBe(20);
    expect(probed.slice(60, 80)).toEqual(probed.slice(40, 60));
  });

  it('is none while others succeed: what fails by itself becomes a dead letter, as ever', async () => {
    const group = bench.group();
    group.on(['item.graded'], ({ id }) => {
      if (id.startsWith('bad')) throw new Error('no');
    });
    await group.start();
    for (let number = 0; number < 10; number += 1) {
      bench.publish({ id: `bad-${number}` }, { id: `good-${number}` });
      await minutes(1);
    }
    expect(await bench.deadLetters.list()).toHaveLength(10);
    expect(bench.seen.of('trouble')).toEqual([]);
  });

  it('is none where nothing is worth a retry', async () => {
    isAway = true;
    const group = bench.group();
    group.on(['item.graded'], () => {
      throw new EventError('PAYLOAD_INVALID', 'no', { eventType: 'item.graded', issues: [] });
    });
    await group.start();
    publishPairs(20);
    await bench.settled();
    expect(await bench.deadLetters.list()).toHaveLength(40);
  });

  it('of one handler leaves the others of its group alone', async () => {
    const group = bench.group();
    const priced: string[] = [];
    group.on(['item.graded'], () => Promise.reject(new Error('away')), { name: 'grade' });
    group.on(['item.priced'], ({ id }) => void priced.push(id), { name: 'price' });
    await group.start();
    publishPairs(10);
    await minutes(1);
    for (let number = 0; number < 30; number += 1) {
      bench.publish({ id: `p${number}`, type: 'item.priced', subject: `other-${number}` });
    }
    await until(() => priced.length === 30, 'the others are handled');
    await minutes(5);
    expect(await bench.deadLetters.list()).toEqual([]);
  });

  it('can be noticed later, or never', async () => {
    await grading({ outageAfterKeys: Number.POSITIVE_INFINITY });
    publishPairs(10);
    await minutes(2);
    expect(await bench.deadLetters.list()).toHaveLength(20);
  });

  it('does not keep a group from its stop, and leaves everything to the next worker', async () => {
    const group = await grading();
    publishPairs(20);
    await minutes(2);
    const unfinished = await bench.stop(group, 1_000);
    expect(unfinished.length).toBeGreaterThan(0);
    isAway = false;
    calls = [];
    await grading();
    await until(async () => (await minutes(1), bench.pending() === 0), 'all are handled');
    expect(new Set(calls).size).toBe(40);
  });
});

describe('events that wait for a retry', () => {
  it('keep no others waiting, even if they are more than may be in flight', async () => {
    const group = bench.group({
      concurrency: 5,
      maxInFlight: 10,
      outageAfterKeys: Number.POSITIVE_INFINITY,
    });
    const handled: string[] = [];
    group.on(
      ['item.graded'],
      ({ id }) => {
        if (id.startsWith('bad')) throw new Error('no');
        handled.push(id);
      },
      { retry: { maxRetries: 3, baseDelayMs: 60_000, maxDelayMs: 60_000 } },
    );
    await group.start();
    bench.publish(...Array.from({ length: 60 }, (_, number) => ({ id: `bad-${number}` })));
    bench.publish(...Array.from({ length: 60 }, (_, number) => ({ id: `good-${number}` })));
    await until(() => handled.length === 60, 'the good ones are handled');
    expect(group.health().status).toBe('ok');
  });

  it('are ten times as many as may be in flight at most; then nothing more is taken, and that is said', async () => {
    const group = bench.group({
      concurrency: 5,
      maxInFlight: 10,
      outageAfterKeys: Number.POSITIVE_INFINITY,
    });
    const begun = new Set<string>();
    let isBad = true;
    group.on(
      ['item.graded'],
      ({ id }) => {
        begun.add(id);
        if (isBad) throw new Error('no');
      },
      { retry: { maxRetries: 100, baseDelayMs: 60_000, maxDelayMs: 60_000 } },
    );
    await group.start();
    bench.publish(...Array.from({ length: 500 }, (_, number) => ({ id: `e${number}` })));
    await until(() => begun.size >= 100, 'many wait');
    await settle();
    expect(begun.size).toBe(110);
    expect(group.health().reasons[0]).toMatch(
      /^100 events or more of group graders wait for a retry/,
    );
    expect(bench.seen.of('warning').map(({ code }) => code)).toContain('RETRIES_PILE_UP');
    isBad = false;
    await until(async () => (await minutes(1), bench.pending() === 0), 'all are handled');
    expect(group.health().status).toBe('ok');
    expect(begun.size).toBe(500);
  });
});
