import type { Clock } from '../../clock.ts';
import { isEventError, type EventError } from '../../errors.ts';
import { GrowingDelay } from '../../growing-delay.ts';
import type { HealthReasons } from '../../health.ts';
import type { Observer } from '../../observer.ts';
import { delayBefore, isRetryable } from '../../retry/retry-policy.ts';
import { isWaitedOut } from '../../waited-out.ts';
import type { Outage } from '../outage.ts';
import { aboutInvocation, type Invocation, type Policy, type Progress } from './step.ts';

/** Pauses between two tries for what passes by itself. */
const waitingDelays = { firstMs: 100, maxMs: 5_000 };

/**
 * Tries again, after a growing delay, as often as the handler's policy allows.
 *
 * What failed before the handler was reached (the database is away, or refuses its user), and what somebody else has open
 * right now, is nobody's attempt: it is waited out and does not count. Nor does what fails during an outage.
 *
 * @param options.once Never tries again what counts.
 */
export function retry(options: {
  group: string;
  once: boolean;
  clock: Clock;
  random: () => number;
  observe: Observer;
  reasons: HealthReasons;
  /** Of the handler; absent for a broadcast. */
  outage: Outage | undefined;
}): Policy {
  const { group, once, clock, random, observe, reasons, outage } = options;
  return (next) => async (event, invocation) => {
    const { progress, abort } = invocation;
    let own = event;
    try {
      for (let waiting: GrowingDelay | undefined; ; own = invocation.reread()) {
        progress.entered = false;
        let endProbe: (() => void) | undefined;
        try {
          if (outage?.isOn && !once) endProbe = await outage.turn(invocation);
          await next(own, { ...invocation, attempt: progress.attempts + 1 });
          // One that was handled before says nothing of what the handler needs now.
          if (progress.entered) outage?.succeeded();
          return;
        } catch (error) {
          if (abort.aborted) throw error;
          const passes = passesByItself(error, progress);
          if (passes) waiting ??= new GrowingDelay(waitingDelays);
          const delayMs = passes ? waiting!.next() : countedDelay(error, invocation);
          report(error, invocation, delayMs);
          if (delayMs === null) throw error;
          if (passes && !isEventError(error, 'CLAIM_HELD')) {
            reasons.add(progress, `handlers cannot begin: ${error.code}`);
          }
          // During an outage it is the outage that says when to try again.
          if (!outage?.isOn) await invocation.stepAside(() => clock.sleep(delayMs, abort.signal));
          if (abort.aborted) throw error;
        } finally {
          endProbe?.();
        }
      }
    } finally {
      reasons.remove(progress);
    }
  };

  function countedDelay(error: unknown, invocation: Invocation): number | null {
    const { progress, registration, delivery } = invocation;
    const { retry: policy } = registration;
    const isWorthIt = isRetryable(policy, error);
    progress.attempts += 1;
    reasons.remove(progress);
    if (once || !isWorthIt) return null;
    // What fails for everybody is not held against the event.
    if (outage?.failed(delivery.message.key, error)) {
      progress.attempts -= 1;
      return 0;
    }
    return progress.attempts <= policy.maxRetries
      ? delayBefore(policy, progress.attempts, random())
      : null;
  }

  function report(error: unknown, invocation: Invocation, willRetryInMs: number | null): void {
    const { progress, delivery } = invocation;
    observe({
      kind: 'attempt-failed',
      ...aboutInvocation(invocation, group),
      attempt: progress.attempts,
      error,
      willRetryInMs,
      coordinates: delivery.coordinates,
    });
  }
}

function passesByItself(error: unknown, { entered }: Progress): error is EventError {
  if (!isEventError(error)) return false;
  // A crashed process holds its claim until it lapses: longer than most policies have retries for.
  return error.code === 'CLAIM_HELD' || (!entered && isWaitedOut(error));
}
