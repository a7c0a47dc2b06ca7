/** Names one handling of one event: (group, handler, source, id). */
export interface InboxKey {
  readonly group: string;
  readonly handler: string;
  /** Names that the handler had before; it is one handling, whichever of them it was recorded under. */
  readonly formerly?: readonly string[];
  readonly source: string;
  readonly id: string;
}

/**
 * Remembers what was handled, in the transaction of the effect.
 *
 * Implementations pass `describeInbox` of `@waybill/core/conformance`.
 */
export interface Inbox {
  /**
   * Records the key inside `tx`, so that it is kept if and only if the effect is: under the handler's name and
   * under each former one, so that an instance that knows only one of them finds it too.
   *
   * @returns False if it was recorded before, under any of the names: the effect is there already.
   * @throws {EventError} `CLAIM_HELD` if another open transaction is recording it, under any of the names.
   */
  record(key: InboxKey, tx: object): Promise<boolean>;
  /** Forgets rows older than this. @returns How many. */
  prune(olderThanMs: number): Promise<number>;
}
