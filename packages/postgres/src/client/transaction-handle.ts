import { EventError } from '@waybill/core';

import type { SqlResult, SqlTransaction, StatementOptions } from './sql-client.ts';
import type { RawConnection } from './raw-connection.ts';

/** The same in every copy of the library that a process may have loaded. */
const brand = Symbol.for('@waybill/postgres transaction');

/** An open transaction that its owner can revoke, so that nothing slips in after the end. */
export class TransactionHandle implements SqlTransaction {
  readonly #connection: RawConnection;
  #endedBecause: string | undefined;

  constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  get finished(): boolean {
    return this.#endedBecause !== undefined;
  }

  /** Refuses every further statement; only the first reason is kept. */
  revoke(reason: string): void {
    this.#endedBecause ??= reason;
  }

  async query<Row extends object = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<SqlResult<Row>> {
    if (this.#endedBecause !== undefined) throw finishedError(this.#endedBecause);
    return await this.#connection.execute<Row>(text, params, options);
  }
}

Object.defineProperty(TransactionHandle.prototype, brand, { value: true });

/** Says whether something is a transaction of this library. */
export function isTransactionHandle(tx: object): tx is SqlTransaction {
  return Reflect.get(tx, brand) === true;
}

/** `TX_FINISHED` with what ended the transaction. */
export function finishedError(reason: string): EventError<'TX_FINISHED'> {
  return new EventError(
    'TX_FINISHED',
    `this transaction has ended (${reason}); await every statement before the work returns`,
    { reason },
  );
}
