import { expect, it } from 'vitest';

import { ManualClock } from './memory/manual-clock.ts';
import { endsWithin } from './ends-within.ts';

it('waits for the end of work, and leaves no timer behind', async () => {
  const clock = new ManualClock(0);
  expect(await endsWithin(clock, 1_000, Promise.resolve())).toBe(true);
  await expect(endsWithin(clock, 1_000, Promise.reject(new Error('torn')))).rejects.toThrow('torn');
  expect(clock.waiting).toBe(0);
});

it('says when the time is over, and nothing of what comes after it', async () => {
  const clock = new ManualClock(0);
  const { promise, reject } = Promise.withResolvers<void>();
  const ended = endsWithin(clock, 1_000, promise);
  await clock.advance(1_000);
  expect(await ended).toBe(false);
  reject(new Error('too late to be heard'));
});
