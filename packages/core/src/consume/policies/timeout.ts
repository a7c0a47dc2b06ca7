import { Abort } from '../abort.ts';
import type { Clock } from '../../clock.ts';
import { EventError, isEventError } from '../../errors.ts';
import type { HealthReasons } from '../../health.ts';
import type { Observer } from '../../observer.ts';
import { aboutInvocation, type Invocation, type Policy } from './step.ts';

/** How often an overdue handler is reported again. */
const reportEveryMs = 10_000;

/**
 * Aborts the signal of an attempt that takes too long, and counts it as failed.
 *
 * JavaScript cannot stop a running function, so the attempt ends only when the handler has really
 * returned: a retry never overlaps it. Until then it is reported as overdue.
 */
export function timeout(options: {
  group: string;
  clock: Clock;
  observe: Observer;
  reasons: HealthReasons;
}): Policy {
  const { group, clock, observe, reasons } = options;
  return (next) => async (event, invocation) => {
    const { registration, abort } = invocation;
    const { name, timeoutMs } = registration;
    const onParentAbort = (reason: unknown): void => {
      // Nobody is left to be told, and a timer would keep the process from ending.
      if (isEventError(reason, 'STOPPING')) cancelTimer();
    };
    const attempt = new Abort(abort, onParentAbort);
    let late: EventError | undefined;
    let cancelTimer = clock.schedule(timeoutMs, () => {
      late = tooLate(invocation);
      attempt.abort(late);
      reasons.add(attempt, `handler ${name} is past its timeout and has not returned`);
      report(0);
    });
    if (abort.aborted) onParentAbort(abort.reason);

    try {
      await next(event, { ...invocation, abort: attempt });
    } catch (error) {
      throw late ?? error;
    } finally {
      cancelTimer();
      reasons.remove(attempt);
      attempt.release();
    }
    if (late) throw late;

    function report(overdueMs: number): void {
      observe({ kind: 'handler-overdue', overdueMs, ...aboutInvocation(invocation, group) });
      cancelTimer = clock.schedule(reportEveryMs, () => report(overdueMs + reportEveryMs));
    }
  };
}

function tooLate({ registration, identity }: Invocation): EventError<'HANDLER_TIMEOUT'> {
  const { name, timeoutMs } = registration;
  return new EventError(
    'HANDLER_TIMEOUT',
    `${identity.type} ${identity.id}: handler ${name} took longer than ${timeoutMs} ms; make it faster or raise its timeoutMs`,
    { handler: name, eventId: identity.id, timeoutMs },
  );
}
