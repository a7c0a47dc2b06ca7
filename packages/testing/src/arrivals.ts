import { systemClock } from '@waybill/core';

interface Waiter<T> {
  readonly matches: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
}

/** Things that come one by one and are waited for; each is given to one waiter. */
export class Arrivals<T> {
  readonly #kept: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #end: Error | undefined;

  add(item: T): void {
    for (const waiter of this.#waiters) {
      if (!waiter.matches(item)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(item);
      return;
    }
    this.#kept.push(item);
  }

  /** Says that nothing more will come; whoever waits gets `error`. */
  end(error: Error): void {
    this.#end ??= error;
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  /**
   * Takes the first thing that matches, now or when it comes.
   *
   * @throws Error that names `what` after `deadlineMs` milliseconds; what `end` was given if nothing
   *   more can come.
   */
  async take(what: string, matches: (item: T) => boolean, deadlineMs: number): Promise<T> {
    const index = this.#kept.findIndex(matches);
    if (index >= 0) return this.#kept.splice(index, 1)[0]!;
    if (this.#end) throw this.#end;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter = { matches, resolve, reject };
    this.#waiters.add(waiter);
    const cancel = systemClock.schedule(deadlineMs, () =>
      reject(new Error(`Waited ${deadlineMs} ms in vain for ${what}`)),
    );
    try {
      return await promise;
    } finally {
      cancel();
      this.#waiters.delete(waiter);
    }
  }
}
