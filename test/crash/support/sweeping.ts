/** A sweep starts two processes and a database for every crash; busy machines need minutes for it. */
export const sweepTimeoutMs = 300_000;

/**
 * Says that a timer decides how often a run comes to a point: watermarks, heartbeats, and transactions
 * that found nothing to write.
 */
export function dependsOnTimer(point: string): boolean {
  return /^(UPDATE event_log_group #\d+|UPDATE event_log_consumer( #\d+)?|COMMIT( #\d+)?)$/.test(
    point,
  );
}
