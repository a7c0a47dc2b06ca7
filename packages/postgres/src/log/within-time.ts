import { EventError } from '@waybill/core';
import type { Clock } from '@waybill/core';

import { logTransport } from './log-tables.ts';

/** Longest wait of a close for a database that gives no answer, in milliseconds. */
const longestWaitMs = 5_000;

/**
 * Waits for the end of a close, but not for a database that gives no answer: statements have no time of their
 * own. What is under way goes on, and changes nothing that is somebody else's by then.
 *
 * @throws {EventError} `TRANSPORT_UNAVAILABLE` if it takes too long; what the work throws.
 */
export async function withinTime<T>(clock: Clock, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = clock.sleep(longestWaitMs, timer.signal).then(() => {
    throw new EventError(
      'TRANSPORT_UNAVAILABLE',
      `${logTransport} gave no answer within ${longestWaitMs} ms of its close; what it was not told is settled comes again`,
      { transport: logTransport },
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
