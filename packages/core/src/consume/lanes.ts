import { runOutsideScope } from '../handler-scope.ts';

/** One piece of work in a lane; it handles its own errors and never rejects. */
export type LaneTask = () => Promise<void>;

/**
 * Runs tasks one after the other per key, and different keys side by side up to a limit.
 *
 * Keys wait their turn first come, first served: a key that has run one task goes behind the keys
 * that were waiting, so that a busy key does not starve the others.
 */
export class Lanes {
  readonly #queues = new Map<string, LaneTask[]>();
  /** Keys whose next task waits for its turn, and tasks that have stepped aside and want to go on. */
  #ready: (string | (() => void))[] = [];
  #readyHead = 0;
  #running = 0;
  /** Keys whose task has stepped aside. */
  readonly #aside = new Set<string>();
  #waiting = 0;
  readonly #onWaiting: (waiting: number) => void;
  #concurrency: number;
  #idle: (() => void)[] = [];

  /**
   * @param concurrency Most tasks at once, 1 or more.
   * @param onWaiting Told how many tasks have stepped aside or are queued behind one that has, when that changes.
   */
  constructor(concurrency: number, onWaiting: (waiting: number) => void = () => {}) {
    this.#concurrency = concurrency;
    this.#onWaiting = onWaiting;
  }

  /** Tasks queued or running. */
  get size(): number {
    let queued = 0;
    for (const queue of this.#queues.values()) queued += queue.length;
    return queued + this.#running + this.#aside.size;
  }

  /** Says whether the task of a key has stepped aside. */
  isAside(key: string): boolean {
    return this.#aside.has(key);
  }

  /** Changes the limit; running tasks are not disturbed. */
  setConcurrency(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#startReady();
  }

  /** Puts a task at the end of its key's lane. */
  add(key: string, task: LaneTask): void {
    const queue = this.#queues.get(key);
    if (queue) {
      queue.push(task);
      if (this.#aside.has(key)) this.#changeWaiting(1);
      return;
    }
    this.#queues.set(key, [task]);
    this.#ready.push(key);
    this.#startReady();
  }

  /**
   * Lets the running task of a key wait for something without keeping others from running; its key stays
   * blocked. Resolves when it may go on.
   */
  async stepAside(key: string, wait: () => Promise<void>): Promise<void> {
    this.#aside.add(key);
    this.#running -= 1;
    this.#changeWaiting(1 + this.#queues.get(key)!.length);
    this.#startReady();
    try {
      await wait();
    } finally {
      await this.#comeBack(key);
    }
  }

  /** Resolves when no task is queued or running. */
  idle(): Promise<void> {
    if (this.#running === 0 && this.#queues.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #startReady(): void {
    while (this.#running < this.#concurrency && this.#readyHead < this.#ready.length) {
      const next = this.#ready[this.#readyHead]!;
      this.#readyHead += 1;
      if (typeof next === 'string') this.#runNext(next);
      else {
        this.#running += 1;
        next();
      }
    }
    if (this.#readyHead > 256 && this.#readyHead * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#readyHead);
      this.#readyHead = 0;
    }
  }

  #runNext(key: string): void {
    this.#running += 1;
    const queue = this.#queues.get(key)!;
    const task = queue.shift()!;
    // Not in the scope of whoever added it, nor of the task that ran before.
    void runOutsideScope(task).then(() => this.#ended(key, queue));
  }

  async #comeBack(key: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#ready.push(resolve);
      this.#startReady();
    });
    this.#aside.delete(key);
    this.#changeWaiting(-1 - this.#queues.get(key)!.length);
  }

  #changeWaiting(by: number): void {
    this.#waiting += by;
    this.#onWaiting(this.#waiting);
  }

  #ended(key: string, queue: readonly LaneTask[]): void {
    this.#running -= 1;
    if (queue.length > 0) this.#ready.push(key);
    else this.#queues.delete(key);
    this.#startReady();
    if (this.#running === 0 && this.#queues.size === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}
