import { AssertionError } from 'node:assert/strict';

import { systemClock } from '../clock.ts';

/**
 * Waits as long as it takes to be sure that something does not happen: in parts, so that a process that has
 * stood still meanwhile sees what has come for it.
 */
export async function waitQuietly(ms: number): Promise<void> {
  const parts = 10;
  for (let part = 0; part < parts; part += 1) await systemClock.sleep(ms / parts);
}

/**
 * Waits for a condition instead of for a time.
 *
 * @param what Says in the failure what did not happen, and how far it got.
 * @throws {AssertionError} If it does not hold within `timeoutMs`.
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, what }: { timeoutMs: number; what: () => string },
): Promise<void> {
  const startedAt = systemClock.now();
  for (let pauseMs = 1; !(await condition()); pauseMs = Math.min(pauseMs * 2, 20)) {
    if (systemClock.now() - startedAt > timeoutMs) {
      throw new AssertionError({ message: `not within ${timeoutMs} ms: ${what()}` });
    }
    await systemClock.sleep(pauseMs);
  }
}
