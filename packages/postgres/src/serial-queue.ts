/** Runs tasks one after the other, in the order in which they came. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param signal When aborted while the task is still waiting, it is never run.
   * @throws What the task threw, or the signal's reason.
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    let started = false;
    const turn = this.#last.then(() => {
      signal?.throwIfAborted();
      started = true;
      return task();
    });
    // The next task waits for the end of this one, whatever the end is.
    this.#last = turn.catch(() => {});
    if (!signal) return await turn;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => {
      if (!started) reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([turn, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
