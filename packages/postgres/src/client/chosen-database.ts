import { chosenTransaction } from '@waybill/core/adapter';
import type { TransactionChoice } from '@waybill/core';

import { joinable } from './joinable.ts';
import type { SqlClient, SqlQueryable } from './sql-client.ts';

/** What a call runs its statements on: the transaction that it is to join, or else the client. */
export async function chosenDatabase(
  client: SqlClient,
  choice?: TransactionChoice,
): Promise<SqlQueryable> {
  const tx = await chosenTransaction(choice, client);
  return tx ? joinable(tx) : client;
}
