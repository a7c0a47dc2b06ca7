import { expect, it } from 'vitest';

import { ManualClock } from './manual-clock.ts';

it('stands still until it is told to go on', async () => {
  const clock = new ManualClock(1_000);
  const fired: number[] = [];
  clock.schedule(10, () => fired.push(clock.now()));
  await clock.advance(9);
  expect(clock.now()).toBe(1_009);
  expect(fired).toEqual([]);
  await clock.advance(1);
  expect(fired).toEqual([1_010]);
});

it('runs timers in the order of their time, those of one time in the order they were set', async () => {
  const clock = new ManualClock(0);
  const fired: string[] = [];
  clock.schedule(20, () => fired.push('late'));
  clock.schedule(10, () => fired.push('first'));
  clock.schedule(10, () => fired.push('second'));
  await clock.advance(100);
  expect(fired).toEqual(['first', 'second', 'late']);
  expect(clock.now()).toBe(100);
});

it('meets timers that were set on the way, at their own time', async () => {
  const clock = new ManualClock(0);
  const wokeAt: number[] = [];
  const sleeping = (async () => {
    for (let nap = 0; nap < 3; nap += 1) {
      await clock.sleep(10);
      wokeAt.push(clock.now());
    }
  })();
  await clock.advance(35);
  await sleeping;
  expect(wokeAt).toEqual([10, 20, 30]);
  expect(clock.waiting).toBe(0);
});

it('forgets a timer that was cancelled and a sleeper who was woken', async () => {
  const clock = new ManualClock(0);
  let fired = false;
  const cancel = clock.schedule(5, () => (fired = true));
  const controller = new AbortController();
  const sleeping = clock.sleep(5, controller.signal);
  expect(clock.waiting).toBe(2);
  cancel();
  controller.abort();
  await sleeping;
  expect(clock.waiting).toBe(0);
  await clock.sleep(5, AbortSignal.abort());
  await clock.advance(10);
  expect(fired).toBe(false);
});
