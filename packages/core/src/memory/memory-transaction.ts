import { EventError } from '../errors.ts';

/**
 * The handle of a transaction in a `MemoryDatabase`.
 *
 * A handler that keeps state of its own in memory writes it through the handle, and it is taken back
 * together with everything else when the transaction does not commit.
 */
export class MemoryTransaction {
  readonly #undo: (() => void)[] = [];
  readonly #afterCommit: (() => void)[] = [];
  #ended: string | undefined;

  /** False once it was committed, rolled back or revoked. */
  get open(): boolean {
    return this.#ended === undefined;
  }

  /** @throws {EventError} `TX_FINISHED` */
  assertOpen(): void {
    if (this.#ended === undefined) return;
    throw new EventError('TX_FINISHED', `the transaction was ${this.#ended}; begin another one`, {
      reason: this.#ended,
    });
  }

  /** Puts `value` into a map; a rollback puts back what was there. @throws {EventError} `TX_FINISHED` */
  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const known = map.has(key);
    const before = map.get(key);
    this.onRollback(() => (known ? map.set(key, before as V) : map.delete(key)));
    map.set(key, value);
  }

  /** Takes a key out of a map; a rollback puts it back. @throws {EventError} `TX_FINISHED` */
  delete<K, V>(map: Map<K, V>, key: K): void {
    if (!map.has(key)) return this.assertOpen();
    const before = map.get(key) as V;
    this.onRollback(() => map.set(key, before));
    map.delete(key);
  }

  /** Adds to the end of a list; a rollback cuts it off. @throws {EventError} `TX_FINISHED` */
  push<T>(list: T[], item: T): void {
    const length = list.length;
    this.onRollback(() => (list.length = length));
    list.push(item);
  }

  /** Says how to take something back; the last one said is undone first. @throws {EventError} `TX_FINISHED` */
  onRollback(undo: () => void): void {
    this.assertOpen();
    this.#undo.push(undo);
  }

  /** Says what becomes visible with the commit. @throws {EventError} `TX_FINISHED` */
  onCommit(apply: () => void): void {
    this.assertOpen();
    this.#afterCommit.push(apply);
  }

  /** Ends it and keeps what was written. @throws {EventError} `TX_FINISHED` if it has ended already. */
  commit(): void {
    this.assertOpen();
    this.#ended = 'committed';
    for (const apply of this.#afterCommit) apply();
  }

  /** Ends it and takes back what was written; nothing happens if it has ended already. */
  rollBack(reason: 'rolled back' | 'revoked'): void {
    if (!this.open) return;
    this.#ended = reason;
    for (const undo of this.#undo.reverse()) undo();
  }
}
