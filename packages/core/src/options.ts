import { isText, maxTextLength, shown } from './text.ts';
import type { TransactionChoice } from './transaction.ts';

/** @throws {TypeError} If `value` is not a number (a whole one, with `whole`) from `min` to `max`. */
export function assertRange(
  where: string,
  name: string,
  value: number,
  min: number,
  max: number,
  whole: boolean = false,
): void {
  const fits = typeof value === 'number' && value >= min && value <= max;
  if (fits && (!whole || Number.isInteger(value))) return;
  const kind = whole ? 'a whole number' : 'a number';
  throw new TypeError(
    `${where}: ${name} must be ${kind} from ${min} to ${max}, got ${String(value)}`,
  );
}

/** @throws {TypeError} If a subscription's `maxInFlight` is not a whole number from 1 on. */
export function assertMaxInFlight(maxInFlight: number): void {
  assertRange('subscribe', 'maxInFlight', maxInFlight, 1, Number.MAX_SAFE_INTEGER, true);
}

/** The names of all options; an object, because the compiler refuses one that lacks a name. */
export type OptionNames<Options> = Readonly<Record<NameIn<Options>, true>>;

/** Of each member where there are several to choose from. */
type NameIn<Options> = Options extends unknown ? keyof Options : never;

/** @throws {TypeError} If `options` has a key that is not known, so that a misspelt option is noticed. */
export function assertKnownOptions<Options extends object>(
  where: string,
  options: Options,
  known: OptionNames<NoInfer<Options>>,
): void {
  const unknown = Object.keys(options).filter((key) => !Object.hasOwn(known, key));
  if (unknown.length > 0) {
    throw new TypeError(
      `${where}: unknown option ${unknown.join(', ')}; known are ${Object.keys(known).join(', ')}`,
    );
  }
}

/** @throws {TypeError} If a name is not text of 1 to 255 characters that every store can keep. */
export function assertName(what: string, name: unknown): void {
  if (isText(name, maxTextLength)) return;
  throw new TypeError(
    `${what} must be 1 to ${maxTextLength} characters, with no control, broken or reserved character among them, got ${shown(name)}`,
  );
}

/**
 * Makes sure that a call joins the transaction that its caller means.
 *
 * @param more The names of the call's further options.
 * @throws {TypeError} If the transaction was not given as `{ tx }`, or an option is not known.
 */
export function assertTransactionChoice<Choice extends TransactionChoice>(
  where: string,
  choice: Choice | undefined,
  more: OptionNames<Omit<NoInfer<Choice>, 'tx'>>,
): void {
  if (choice === undefined) return;
  if ('query' in choice) throw new TypeError(`${where}: give the transaction as { tx }`);
  assertKnownOptions<TransactionChoice>(where, choice, { ...more, tx: true });
}
