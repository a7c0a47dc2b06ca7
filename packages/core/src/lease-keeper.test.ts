import { describe, expect, it } from 'vitest';

import { LeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.ts';
import { ManualClock } from './memory/manual-clock.ts';

const leaseMs = 9_000;

/** A keeper that has started, with what was renewed and told. */
function keep(answers: () => Promise<boolean>, options: Partial<LeaseKeeperOptions> = {}) {
  const clock = new ManualClock(0);
  const renewedAtMs: number[] = [];
  const told: string[] = [];
  const keeper = new LeaseKeeper({
    leaseMs,
    clock,
    renew: () => {
      renewedAtMs.push(clock.now());
      return answers();
    },
    onLost: () => void told.push('lost'),
    onFailed: () => void told.push('failed'),
    onRenewed: () => void told.push('renewed'),
    ...options,
  }).start();
  return { clock, renewedAtMs, told, keeper };
}

describe('a lease keeper', () => {
  it('renews at a third of the lease', async () => {
    const { clock, renewedAtMs, told } = keep(async () => true);
    await clock.advance(10_000);
    expect(renewedAtMs).toEqual([3_000, 6_000, 9_000]);
    expect(told).toEqual(['renewed', 'renewed', 'renewed']);
  });

  it('tells that somebody else has it, and renews no more', async () => {
    const { clock, renewedAtMs, told } = keep(async () => false);
    await clock.advance(20_000);
    expect(renewedAtMs).toEqual([3_000]);
    expect(told).toEqual(['lost']);
  });

  it('tries a renewal that has failed again sooner, with growing pauses, and then as before', async () => {
    let failures = 3;
    const { clock, renewedAtMs, told } = keep(async () => {
      if (failures-- > 0) throw new Error('away');
      return true;
    });
    await clock.advance(8_000);
    expect(renewedAtMs).toEqual([3_000, 3_250, 3_750, 4_750, 7_750]);
    expect(told).toEqual(['failed', 'failed', 'failed', 'renewed', 'renewed']);
  });

  it('goes on trying beyond the end of the lease unless it is to tell of it', async () => {
    const away = async (): Promise<boolean> => Promise.reject(new Error('away'));
    const stubborn = keep(away);
    await stubborn.clock.advance(30_000);
    expect(stubborn.renewedAtMs.at(-1)).toBeGreaterThan(27_000);
    const cautious = keep(away, { onLapsed: () => void cautious.told.push('lapsed') });
    await cautious.clock.advance(30_000);
    expect(cautious.told.at(-1)).toBe('lapsed');
    expect(cautious.renewedAtMs.at(-1)).toBeLessThan(9_000);
  });

  it('tells that the lease has lapsed also while a renewal gets no answer', async () => {
    const { clock, told } = keep(() => new Promise(() => {}), {
      onLapsed: () => void told.push(`lapsed at ${clock.now()}`),
    });
    await clock.advance(30_000);
    expect(told).toEqual(['lapsed at 9000']);
  });

  it('asks before it gives up a lease that ran out while the process stood still', async () => {
    const timers: (() => void)[] = [];
    let nowMs = 0;
    const schedule = (_ms: number, run: () => void): (() => void) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run) >>> 0, 1);
    };
    const clock = { now: () => nowMs, sleep: async () => {}, schedule };
    const answer = Promise.withResolvers<boolean>();
    const told: string[] = [];
    new LeaseKeeper({
      leaseMs,
      clock,
      renew: () => answer.promise,
      onLapsed: () => void told.push('lapsed'),
      onRenewed: () => void told.push('renewed'),
    }).start();
    nowMs = 60_000;
    // The renewal is set later than the end of the lease, and both are long overdue.
    const [lapse, renewal] = timers.splice(0);
    renewal!();
    lapse!();
    expect(told).toEqual([]);
    answer.resolve(true);
    await answer.promise;
    expect(told).toEqual(['renewed']);
  });

  it.each([
    [true, []],
    [false, ['lost']],
  ])('begins nothing more once it is stopped; the last answer was %s', async (held, expected) => {
    const answer = Promise.withResolvers<boolean>();
    const { clock, renewedAtMs, told, keeper } = keep(() => answer.promise);
    await clock.advance(3_000);
    keeper.stop();
    answer.resolve(held);
    await clock.advance(30_000);
    expect(renewedAtMs).toEqual([3_000]);
    expect(told).toEqual(expected);
    expect(clock.waiting).toBe(0);
  });
});
