import { EventError } from '@waybill/core';
import { endsWithin } from '@waybill/core/adapter';
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
export async function withinTime(clock: Clock, work: Promise<void>): Promise<void> {
  if (await endsWithin(clock, longestWaitMs, work)) return;
  throw new EventError(
    'TRANSPORT_UNAVAILABLE',
    `${logTransport} gave no answer within ${longestWaitMs} ms of its close; what it was not told is settled comes again`,
    { transport: logTransport },
  );
}
