import { EventError, isEventError } from '../../errors.ts';
import type { Invocation } from './step.ts';

/** A handler whose own statements end its connection must come to an end, too: after these it is its attempt. */
const maxLostConnections = 10;

/**
 * Takes back an attempt that somebody else has ended, by ending the connection that its transaction was on:
 * its effect was rolled back, or the inbox knows of it. It passes by itself, as if it had not begun.
 *
 * @param error What the transaction was told, or what the handler made of it.
 * @returns What to report and to throw.
 */
export function attemptLost(error: unknown, invocation: Invocation): unknown {
  const { progress, registration, identity } = invocation;
  if (!progress.entered) return error;
  progress.lostConnections += 1;
  if (progress.lostConnections > maxLostConnections) return error;
  progress.entered = false;
  if (isEventError(error) && error.retryable) return error;
  return new EventError(
    'STORE_UNAVAILABLE',
    `${identity.type} ${identity.id}: the connection of handler ${registration.name}'s transaction was lost while it ran; it is tried again`,
    {},
    { cause: error },
  );
}
