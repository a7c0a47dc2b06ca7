import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { settle, turn } from '../../test/until.ts';
import { currentScope, runInScope } from '../handler-scope.ts';
import { Lanes } from './lanes.ts';
import { envelope } from '../../test/envelope.ts';

const jobs = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), turns: fc.nat(3) }), {
  maxLength: 40,
});

describe('lanes', () => {
  it('run everything, in order per key, never more at once than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 5 }), async (work, concurrency) => {
        const lanes = new Lanes(concurrency);
        const ended: number[] = [];
        const busyKeys = new Set<string>();
        for (const [index, { key, turns }] of work.entries()) {
          lanes.add(key, async () => {
            expect(busyKeys).not.toContain(key);
            busyKeys.add(key);
            expect(busyKeys.size).toBeLessThanOrEqual(concurrency);
            for (let left = turns; left > 0; left -= 1) await turn();
            busyKeys.delete(key);
            ended.push(index);
          });
        }
        await lanes.idle();
        expect(ended.toSorted((a, b) => a - b)).toEqual(work.map((_, index) => index));
        for (const key of 'abcd') {
          const ofKey = ended.filter((index) => work[index]!.key === key);
          expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
        }
        expect(lanes.size).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('give every waiting key its turn before a busy key gets its next one', async () => {
    const lanes = new Lanes(1);
    const ran: string[] = [];
    for (const key of ['busy', 'busy', 'busy', 'quiet', 'calm']) {
      lanes.add(key, async () => void ran.push(key));
    }
    await lanes.idle();
    expect(ran).toEqual(['busy', 'quiet', 'calm', 'busy', 'busy']);
  });

  it('stay fair over thousands of keys', async () => {
    const lanes = new Lanes(3);
    const ran = new Map<string, number>();
    for (let round = 0; round < 3; round += 1) {
      for (let key = 0; key < 1_000; key += 1) {
        lanes.add(`key-${key}`, async () => {
          await turn();
          const times = (ran.get(`key-${key}`) ?? 0) + 1;
          ran.set(`key-${key}`, times);
          const fewest = ran.size < 1_000 ? 0 : Math.min(...ran.values());
          expect(times - fewest).toBeLessThanOrEqual(2);
        });
      }
    }
    await lanes.idle();
    expect([...ran.values()].every((times) => times === 3)).toBe(true);
  });

  it('keep the other keys going while one never ends', async () => {
    const lanes = new Lanes(2);
    lanes.add('stuck', () => new Promise<void>(() => {}));
    lanes.add('stuck', async () => expect.unreachable('the lane of a stuck task goes on'));
    let ended = 0;
    for (let index = 0; index < 10; index += 1) lanes.add(`key-${index}`, async () => void ended++);
    await settle();
    expect({ ended, left: lanes.size }).toEqual({ ended: 10, left: 2 });
  });

  it('take a new limit at once, up and down', async () => {
    const lanes = new Lanes(1);
    let running = 0;
    const releases: (() => void)[] = [];
    for (let index = 0; index < 6; index += 1) {
      lanes.add(`key-${index}`, async () => {
        running += 1;
        await new Promise<void>((resolve) => releases.push(resolve));
        running -= 1;
      });
    }
    expect(running).toBe(1);
    lanes.setConcurrency(4);
    expect(running).toBe(4);
    lanes.setConcurrency(1);
    for (const release of releases.splice(0)) release();
    await settle();
    expect(running).toBe(1);
    lanes.setConcurrency(9);
    for (const release of releases.splice(0)) release();
    await lanes.idle();
  });

  it('forget whose call put a task in', async () => {
    const lanes = new Lanes(1);
    const seen: unknown[] = [];
    const add = (): void => lanes.add('a', async () => void seen.push(currentScope()));
    runInScope({ event: envelope(), tx: {}, afterCommit: () => {} }, add);
    runInScope({ event: envelope(), tx: {}, afterCommit: () => {} }, add);
    await lanes.idle();
    expect(seen).toEqual([undefined, undefined]);
  });
});

describe('a task that steps aside', () => {
  it('gives its slot to other keys, keeps its own key waiting, and goes on in its turn', async () => {
    const told: number[] = [];
    const lanes = new Lanes(1, (waiting) => told.push(waiting));
    const ran: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    lanes.add('a', async () => {
      ran.push('a1 begins');
      await lanes.stepAside('a', () => promise);
      ran.push('a1 ends');
    });
    lanes.add('a', async () => void ran.push('a2'));
    lanes.add('b', async () => void ran.push('b1'));
    await settle();
    expect(ran).toEqual(['a1 begins', 'b1']);
    expect(lanes.size).toBe(2);
    lanes.add('a', async () => void ran.push('a3'));
    resolve();
    await lanes.idle();
    expect(ran).toEqual(['a1 begins', 'b1', 'a1 ends', 'a2', 'a3']);
    expect(told).toEqual([1, 2, 3, 0]);
    expect(lanes.size).toBe(0);
  });

  it('waits for a slot when it comes back, so that never more run than are allowed', async () => {
    const lanes = new Lanes(1);
    const ran: string[] = [];
    const busy = Promise.withResolvers<void>();
    lanes.add('a', async () => {
      await lanes.stepAside('a', async () => {});
      ran.push('a');
    });
    lanes.add('b', async () => {
      await busy.promise;
      ran.push('b');
    });
    await settle();
    expect(ran).toEqual([]);
    busy.resolve();
    await lanes.idle();
    expect(ran).toEqual(['b', 'a']);
  });

  it('goes on also where what it waited for has failed', async () => {
    const lanes = new Lanes(1);
    const failed: unknown[] = [];
    lanes.add('a', () =>
      lanes
        .stepAside('a', () => Promise.reject(new Error('no')))
        .catch((error: unknown) => {
          failed.push(error);
        }),
    );
    await lanes.idle();
    expect(failed).toHaveLength(1);
  });
});
