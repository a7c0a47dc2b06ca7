import type { Clock } from './clock.ts';
import { isEventError } from './errors.ts';
import { GrowingDelay } from './growing-delay.ts';
import type { TroubleReporter } from './trouble.ts';

export interface FirstStartOptions {
  /** Says once that it does not get on, and that it does again. */
  readonly trouble: TroubleReporter;
  readonly clock: Clock;
  /** What is asked, in words. */
  readonly whom: string;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** Pauses between two tries. */
const retryDelays = { firstMs: 100, maxMs: 2_000 };

/**
 * Tries to start until it succeeds. A server that is away, still loading, or has no name yet is waited for as long
 * as the caller waits: services start in any order. What somebody has to mend first, a wrong password among it, is
 * told at once instead.
 *
 * @throws What does not pass by itself; the last error once `signal` is aborted.
 */
export async function untilStarted<T>(
  start: () => Promise<T>,
  options: FirstStartOptions,
): Promise<T> {
  const { trouble, clock, whom, signal } = options;
  const delay = new GrowingDelay(retryDelays);
  for (;;) {
    const answered = trouble.asked(whom);
    try {
      const started = await start();
      trouble.end();
      return started;
    } catch (error) {
      if (!signal.aborted && mayStartLater(error)) {
        trouble.begin(error);
        await clock.sleep(delay.next(), signal);
      }
      if (!signal.aborted && mayStartLater(error)) continue;
      trouble.giveUp();
      throw error;
    } finally {
      answered();
    }
  }
}

function mayStartLater(error: unknown): boolean {
  return isEventError(error) && error.retryable && error.code !== 'STOPPING';
}
