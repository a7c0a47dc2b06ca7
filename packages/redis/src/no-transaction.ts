import { EventError, type TransactionChoice } from '@waybill/core';
import { assertTransactionChoice, type OptionNames } from '@waybill/core/adapter';

/**
 * Refuses a transaction that a call was given to join: a rollback would not take back what is in Redis.
 * A handler's own transaction, which nobody has named, is left alone.
 *
 * @param more The names of the call's further options.
 * @throws {EventError} `TX_FOREIGN`
 * @throws {TypeError} If the transaction was not given as `{ tx }`, or an option is not known.
 */
export function assertNoTransaction<Choice extends TransactionChoice>(
  where: string,
  choice: Choice | undefined,
  more: OptionNames<Omit<NoInfer<Choice>, 'tx'>>,
): void {
  assertTransactionChoice(where, choice, more);
  if (!choice?.tx) return;
  throw new EventError(
    'TX_FOREIGN',
    `${where}: Redis joins no transaction, and its rollback would not take this back; leave { tx } out, or use a store in the database`,
    { expected: 'no transaction' },
  );
}
