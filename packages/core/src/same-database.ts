import type { TransactionRunner } from './transaction.ts';

/**
 * Says whether two transaction runners are on one database, so that a transaction of one can hold what
 * belongs to the other.
 *
 * @returns `unknown` if either cannot say which database it is on.
 * @throws {EventError} `STORE_UNAVAILABLE` if a database has to be asked and is away.
 */
export async function sameDatabase(
  a: TransactionRunner,
  b: TransactionRunner,
): Promise<'same' | 'different' | 'unknown'> {
  if (a === b) return 'same';
  if (!a.identity || !b.identity) return 'unknown';
  // A server that restarts between the two answers has another identity; twice in a row it does not.
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const [ofA, ofB] = await Promise.all([a.identity(), b.identity()]);
    if (ofA === ofB) return 'same';
  }
  return 'different';
}
