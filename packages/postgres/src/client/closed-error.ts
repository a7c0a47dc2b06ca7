import { EventError } from '@waybill/core';

/** `NOT_CONNECTED` for a client that was closed. */
export function closedError(): EventError<'NOT_CONNECTED'> {
  return new EventError('NOT_CONNECTED', 'this database client was closed; open another one', {
    what: 'database client',
  });
}
