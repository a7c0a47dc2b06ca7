import { ManualClock } from '@waybill/core/memory';
import { describe, expect, it } from 'vitest';

import { PoolGate } from './pool-gate.ts';
import { capacityOf, transactionsOn } from './pool-shares.ts';

const clock = new ManualClock();
const patient = { timeoutMs: undefined, clock };

/** Enters, and says whether that is granted already. */
function enter(gate: PoolGate, brief: boolean) {
  const asked = { granted: false, leave: () => {} };
  const grant = (leave: () => void): void => void Object.assign(asked, { granted: true, leave });
  const entering = gate.enter(brief, patient);
  if (entering instanceof Promise) void entering.then(grant);
  else grant(entering);
  return asked;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the connections of a pool', () => {
  it('are left alone by transactions as far as what these call may need them', async () => {
    const gate = new PoolGate(5);
    const long = Array.from({ length: 5 }, () => enter(gate, false));
    expect(long.map(({ granted }) => granted)).toEqual([true, true, true, false, false]);
    const brief = [enter(gate, true), enter(gate, true), enter(gate, true)];
    expect(brief.map(({ granted }) => granted)).toEqual([true, true, false]);
    brief[0]!.leave();
    await settled();
    expect([brief[2]!.granted, long[3]!.granted]).toEqual([true, false]);
    long[0]!.leave();
    await settled();
    expect([long[3]!.granted, long[4]!.granted]).toEqual([true, false]);
  });

  it.each([
    { size: 1, deepest: 0 },
    { size: 2, deepest: 1 },
    { size: 5, deepest: 2 },
    { size: 10, deepest: 3 },
  ])(
    'let calls nest $deepest deep on a pool of $size, and no deeper',
    async ({ size, deepest }) => {
      const gate = new PoolGate(size);
      const nest = async (depth: number): Promise<void> => {
        if (depth > deepest) {
          expect(() => gate.enter(true, patient)).toThrow(/^TX_SELF_WAIT/);
          return;
        }
        const leave = await gate.enter(false, patient);
        await gate.hold(() => nest(depth + 1));
        leave();
      };
      await nest(0);
      expect(() => gate.assertFree()).not.toThrow();
    },
  );

  it.each([1, 2, 3, 4, 7, 8, 20])('serve whatever nests, on a pool of %i', async (size) => {
    const gate = new PoolGate(size);
    let ended = 0;
    const nest = async (depth: number): Promise<void> => {
      try {
        const leave = await gate.enter(depth === 3, patient);
        await settled();
        await gate.hold(() => (depth === 3 ? settled() : nest(depth + 1)));
        leave();
      } catch (error) {
        expect(String(error)).toContain('TX_SELF_WAIT');
      }
    };
    const leaving = async (depth: number): Promise<void> => {
      await nest(depth).finally(() => (ended += 1));
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => leaving(index % 4)));
    expect(ended).toBe(50);
  });

  it('are kept for good only where enough are left to work with', () => {
    const kept = (size: number): string[] => {
      const gate = new PoolGate(size);
      return (['listener', 'lock'] as const).filter((what) => {
        try {
          return gate.keep(what);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CAPABILITY_MISSING' });
          return false;
        }
      });
    };
    expect([1, 2, 3, 4].map(kept)).toEqual([[], [], ['lock'], ['listener', 'lock']]);
  });

  it('are waited for no longer than a signal, or the time-out of the pool, allows', async () => {
    const gate = new PoolGate(1);
    const only = enter(gate, true);
    const stop = new AbortController();
    const ended = gate.enter(true, { ...patient, signal: stop.signal });
    const late = gate.enter(true, { timeoutMs: 1_000, clock });
    stop.abort(new Error('stopped'));
    await expect(ended).rejects.toThrow('stopped');
    await Promise.all([
      expect(late).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true }),
      clock.advance(1_000),
    ]);
    only.leave();
    expect(enter(gate, true).granted).toBe(true);
  });
});

describe('what a pool can serve', () => {
  it('is ten handlers at once unless somebody has said otherwise', () => {
    expect(transactionsOn(15)).toBe(10);
    expect([1, 2, 3, 4, 5].map(transactionsOn)).toEqual([1, 1, 1, 1, 1]);
  });

  it('says how large it has to be for more', () => {
    const capacity = capacityOf(2, (size) => `max: ${size}`);
    expect([capacity.atOnce, capacity.toServe(50)]).toEqual([1, 'max: 55']);
    expect(transactionsOn(55)).toBe(50);
  });
});
