import type { TransactionRunner } from './transaction.ts';

/**
 * Says whether two transaction runners are on one database, so that a transaction of one can hold what
 * belongs to the other.
 *
 * @param open A transaction of `a` to ask in, where another one might have to wait for it.
 * @returns `unknown` if either cannot say which database it is on.
 * @throws {EventError} `STORE_UNAVAILABLE` if a database has to be asked and is away.
 */
export async function sameDatabase(
  a: TransactionRunner,
  b: TransactionRunner,
  open?: object,
): Promise<'same' | 'different' | 'unknown'> {
  if (areOne(a, b)) return 'same';
  if (!a.identity || !b.identity) return 'unknown';
  // A server that restarts between the two answers has another identity; twice in a row it does not.
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const [ofA, ofB] = await Promise.all([a.identity(open), b.identity()]);
    if (ofA === ofB) return 'same';
  }
  return 'different';
}

/** Which other runners a runner was compared with, and whether a transaction of it can hold what is theirs. */
const compared = new WeakMap<TransactionRunner, WeakMap<TransactionRunner, Promise<boolean>>>();

/**
 * Says whether a transaction can hold what belongs to a runner, asking once for each two of them; if they cannot
 * tell, it is tried.
 *
 * @param tx An open transaction of `theirs`.
 */
export function canHold(
  tx: object,
  theirs: TransactionRunner,
  own: TransactionRunner,
): true | Promise<boolean> {
  if (areOne(theirs, own)) return true;
  const known = compared.get(theirs) ?? new WeakMap<TransactionRunner, Promise<boolean>>();
  compared.set(theirs, known);
  let answer = known.get(own);
  if (!answer) {
    answer = sameDatabase(theirs, own, tx).then((are) => are !== 'different');
    known.set(own, answer);
    answer.catch(() => known.delete(own));
  }
  return answer;
}

function areOne(a: TransactionRunner, b: TransactionRunner): boolean {
  return a === b || (a.origin !== undefined && a.origin === b.origin);
}
