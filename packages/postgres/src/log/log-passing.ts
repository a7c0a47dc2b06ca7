import { isEventError } from '@waybill/core';
import { isWaitedOut } from '@waybill/core/adapter';

/**
 * What a database says while it is being put back: a schema, a table or a column is missing. A consumer begins
 * only where all of them were there.
 */
const beingRestored: ReadonlySet<string> = new Set(['3F000', '42P01', '42703', '55000']);

/**
 * Says whether a running consumer tries again after an error. A group that stands where it cannot go on waits too:
 * whoever operates the log can mend that without a restart.
 */
export function passes(error: unknown): boolean {
  if (isWaitedOut(error) || isEventError(error, 'CURSOR_FOREIGN')) return true;
  if (!isEventError(error, 'STORE_REJECTED')) return false;
  return beingRestored.has(error.details.sqlState ?? '');
}
