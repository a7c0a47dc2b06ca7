import type { Coordinates } from '../coordinates.ts';
import type { TransactionChoice } from '../transaction.ts';
import type { DeadLetter, NewDeadLetter } from './dead-letter.ts';

/** What a dead letter is found by: whose failure it is, or where an unreadable message lies. */
export type DeadLetterKey =
  | {
      readonly group: string;
      readonly handler: string;
      readonly source: string;
      readonly eventId: string;
    }
  | { readonly group: string; readonly coordinates: Coordinates };

/** Most keys that one `find` takes. */
export const maxDeadLetterKeys = 100;

/**
 * Takes what could not be handled: all that a consumer group needs of dead letters to run.
 *
 * Implementations pass `describeDeadLetterSink` of `@waybill/core/conformance`.
 */
export interface DeadLetterSink {
  /**
   * Records a failure. A known (group, handler, source, id), or for unreadable messages (group,
   * coordinates), keeps its row: its attempts are added up; its reason and its message are replaced.
   *
   * @returns Id of the row.
   */
  add(deadLetter: NewDeadLetter, options?: TransactionChoice): Promise<string>;
  /**
   * Looks dead letters up, whatever their status, in one statement.
   *
   * @param keys Up to 100 of them; the same one may come twice.
   * @returns The dead letter of each key, in the order given; `null` where there is none.
   * @throws {TypeError} If there are more keys.
   */
  find(keys: readonly DeadLetterKey[]): Promise<readonly (DeadLetter | null)[]>;
}

/** @throws {TypeError} If there are more keys than one `find` takes. */
export function assertDeadLetterKeys(keys: readonly DeadLetterKey[]): void {
  if (keys.length <= maxDeadLetterKeys) return;
  throw new TypeError(`find takes up to ${maxDeadLetterKeys} keys at once, got ${keys.length}`);
}
