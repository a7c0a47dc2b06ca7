import type { Clock } from '../clock.ts';
import { EventError } from '../errors.ts';
import type { Observer } from '../observer.ts';
import type { Policy } from './step.ts';

/** How often an overdue handler is reported again. */
const reportEveryMs = 10_000;

/**
 * Aborts the signal of an attempt that takes too long, and counts it as failed.
 *
 * JavaScript cannot stop a running function, so the attempt ends only when the handler has really
 * returned: a retry never overlaps it. Until then it is reported as overdue.
 */
export function timeout(options: { group: string; clock: Clock; observe: Observer }): Policy {
  const { group, clock, observe } = options;
  return (next) => async (event, invocation) => {
    const { name, timeoutMs } = invocation.registration;
    const attempt = new AbortController();
    const abandon = (): void => attempt.abort(invocation.signal.reason);
    invocation.signal.addEventListener('abort', abandon, { once: true });
    if (invocation.signal.aborted) abandon();

    let late: EventError | undefined;
    let cancelTimer = clock.schedule(timeoutMs, () => {
      late = new EventError(
        'HANDLER_TIMEOUT',
        `${event.type} ${event.id}: handler ${name} took longer than ${timeoutMs} ms; make it faster or raise its timeoutMs`,
        { handler: name, eventId: event.id, timeoutMs },
      );
      attempt.abort(late);
      report(0);
    });
    function report(overdueMs: number): void {
      observe({ kind: 'handler-overdue', group, handler: name, eventId: event.id, overdueMs });
      cancelTimer = clock.schedule(reportEveryMs, () => report(overdueMs + reportEveryMs));
    }

    try {
      await next(event, { ...invocation, signal: attempt.signal });
    } catch (error) {
      throw late ?? error;
    } finally {
      cancelTimer();
      invocation.signal.removeEventListener('abort', abandon);
    }
    if (late) throw late;
  };
}
