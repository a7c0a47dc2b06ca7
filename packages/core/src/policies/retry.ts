import type { Clock } from '../clock.ts';
import { isEventError } from '../errors.ts';
import type { Observer } from '../observer.ts';
import { delayBefore, isRetryable } from '../retry-policy.ts';
import type { Invocation, Policy } from './step.ts';

/** Longest wait between two tries to reach the database before a handler could even begin. */
const maxInfrastructureDelayMs = 5_000;

/**
 * Tries again, after a growing delay, as often as the handler's policy allows.
 *
 * What failed before the handler was reached (the database is away, another process has the event
 * open) is nobody's attempt: it is waited out and does not count.
 */
export function retry(options: {
  group: string;
  clock: Clock;
  random: () => number;
  observe: Observer;
}): Policy {
  const { group, clock, random, observe } = options;
  return (next) => async (event, invocation) => {
    const { registration, progress, signal } = invocation;
    let own = event;
    for (let failuresBefore = 0; ; own = invocation.reread()) {
      progress.entered = false;
      try {
        return await next(own, { ...invocation, attempt: progress.attempts + 1 });
      } catch (error) {
        if (signal.aborted) throw error;
        const delayMs = passesByItself(error, invocation)
          ? Math.min(100 * 2 ** failuresBefore++, maxInfrastructureDelayMs)
          : countedDelay(error);
        observe({
          kind: 'attempt-failed',
          group,
          handler: registration.name,
          eventId: event.id,
          attempt: progress.attempts,
          error,
          willRetryInMs: delayMs,
          coordinates: invocation.delivery.coordinates,
        });
        if (delayMs === null) throw error;
        await clock.sleep(delayMs, signal);
        if (signal.aborted) throw error;
      }
    }

    function countedDelay(error: unknown): number | null {
      progress.attempts += 1;
      const again =
        progress.attempts <= registration.retry.maxRetries &&
        isRetryable(registration.retry, error);
      return again ? delayBefore(registration.retry, progress.attempts, random()) : null;
    }
  };
}

function passesByItself(error: unknown, { progress }: Invocation): boolean {
  return !progress.entered && isEventError(error) && error.retryable;
}
