import { setImmediate as eventLoopTurn } from 'node:timers/promises';

import { throwIfEnded } from '@waybill/core/adapter';
import type { EndSignal } from '@waybill/core';

/**
 * Runs tasks one after the other, in the order in which they came.
 *
 * Timers and sockets get a turn before each one: tasks that never leave the process, as those of an
 * embedded database, would keep them waiting for as long as the queue is not empty, heartbeats too.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param signal When aborted while the task is still waiting, it is never run.
   * @throws What the task threw, or the signal's reason.
   */
  async run<T>(task: () => Promise<T>, signal?: EndSignal): Promise<T> {
    throwIfEnded(signal);
    let started = false;
    const turn = this.#last.then(async () => {
      await eventLoopTurn();
      throwIfEnded(signal);
      started = true;
      return await task();
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
