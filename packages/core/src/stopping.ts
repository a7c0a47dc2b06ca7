import { EventError } from './errors.ts';
import { currentScope } from './handler-scope.ts';

/**
 * The error for what comes after a shutdown.
 *
 * In a handler it is worth another try: this process goes down, and another one gets the event. Anywhere else
 * nothing here will ever take it.
 *
 * @param what E.g. `publisher of billing`.
 */
export function wasShutDown(what: string): EventError<'STOPPING'> {
  return new EventError(
    'STOPPING',
    `${what} was shut down and takes nothing more; make a new one, or shut it down after those who use it`,
    { what },
    { retryable: currentScope() !== undefined },
  );
}

/**
 * The error for what a group no longer takes.
 *
 * @param group `null` for a broadcast.
 * @param happened E.g. `is stopping`.
 */
export function groupStopping(group: string | null, happened: string): EventError<'STOPPING'> {
  const what = group ?? 'broadcast';
  return new EventError('STOPPING', `group ${what} ${happened}`, { what });
}
