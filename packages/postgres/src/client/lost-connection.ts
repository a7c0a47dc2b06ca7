import { isEventError } from '@waybill/core';

import type { RawConnection } from './raw-connection.ts';
import { sqlStateOf } from './sql-errors.ts';

/** Connection failures, and a server that ends sessions: shutdown, crash, and one that is not up again. */
const endsSession = /^(08...|57P0[123])$/;

/** What `pg` says when it gives up waiting for an answer (`query_timeout`): the connection is still there. */
const answerIsLate = /query read timeout/i;

/**
 * Says whether a statement failed because its connection was ended by somebody else: by the server, by an
 * operator, or in between.
 */
function isConnectionLost(error: unknown): boolean {
  if (!isEventError(error, 'STORE_UNAVAILABLE')) return false;
  const sqlState = sqlStateOf(error);
  if (sqlState !== undefined) return endsSession.test(sqlState);
  return !answerIsLate.test(error.message);
}

/** A connection that tells when it is lost under a statement. */
export function tellingLoss(
  connection: RawConnection,
  onLost: (() => void) | undefined,
): RawConnection {
  if (!onLost) return connection;
  return {
    execute: (...statement) =>
      connection.execute(...statement).catch((error: unknown) => {
        if (isConnectionLost(error)) onLost();
        throw error;
      }) as never,
    discard: () => connection.discard(),
  };
}
