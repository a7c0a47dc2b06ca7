/** What one look at the sequence and the running transactions has shown. */
export interface Sighting {
  /** Last id that was given out. */
  readonly lastId: bigint;
  /** Oldest transaction that was still running. */
  readonly xmin: bigint;
  /** First transaction that had not begun. */
  readonly xmax: bigint;
}

/**
 * Tells up to which id the outbox holds no surprises any more.
 *
 * Ids commit out of order, so a scan that began behind the last id it saw would find an earlier row of
 * the same key too late. An id is settled once every transaction has ended that ran after the id was
 * given out. That is sound because a writer takes its transaction id before its row ids.
 */
export class OutboxHorizon {
  #settledId = 0n;
  #candidateId: bigint | undefined;
  /** Every transaction below this one must end before the candidate is settled. */
  #awaited: bigint | undefined;

  /** @returns The last settled id; a scan that begins later than the sighting sees all of them. */
  observe({ lastId, xmin, xmax }: Sighting): bigint {
    if (this.#candidateId === undefined) {
      this.#candidateId = lastId;
    } else if (this.#awaited === undefined) {
      this.#awaited = xmax;
    } else if (xmin >= this.#awaited) {
      this.#settledId = this.#candidateId;
      this.#candidateId = lastId;
      this.#awaited = undefined;
    }
    return this.#settledId;
  }
}
