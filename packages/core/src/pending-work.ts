/** Work under way, for whoever has to wait until all of it has ended, one way or the other. */
export class PendingWork {
  readonly #underWay = new Set<Promise<unknown>>();

  /**
   * Notes some work.
   *
   * @returns What it gives. An error that its caller does not handle is as unhandled as without this:
   *   watching the work itself would hide it.
   */
  watch<T>(work: Promise<T>): Promise<T> {
    this.add(work);
    return work.then((result) => result);
  }

  readonly add = (work: Promise<unknown>): void => {
    const end = (): void => void this.#underWay.delete(work);
    this.#underWay.add(work);
    work.then(end, end);
  };

  /** Resolves when nothing is under way any more, what began in the meantime included. */
  async ended(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }
}
