import { isEventError } from '@waybill/core';
import type { Clock } from '@waybill/core';

import { sqlStateOf } from './sql-errors.ts';

/** Long enough for a terminated connection or a deadlock; a database that is down is the caller's matter. */
const delaysMs = [10, 50, 250, 1_000];

const queryCanceled = '57014';

/**
 * Runs work that may be repeated, and repeats it after a lost connection, a deadlock or a restart.
 *
 * @throws What the last try threw, or the first error that does not pass by itself.
 */
export async function retryPassing<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (const delayMs of delaysMs) {
    try {
      return await work();
    } catch (error) {
      if (!isEventError(error, 'STORE_UNAVAILABLE')) throw error;
      // The caller's own limit has ended it; another try would take as long.
      if (sqlStateOf(error) === queryCanceled) throw error;
      await clock.sleep(delayMs);
    }
  }
  return await work();
}
