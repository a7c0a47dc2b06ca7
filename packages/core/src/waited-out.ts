import { isEventError, type EventError } from './errors.ts';

/**
 * Says whether somebody who has got on before waits until an error is over: it passes by itself, or it is for a
 * person to give back a right or a password, and nobody but the one who waits would notice that it was done.
 */
export function isWaitedOut(error: unknown): error is EventError {
  return isEventError(error) && (error.retryable || error.code === 'ACCESS_REFUSED');
}
