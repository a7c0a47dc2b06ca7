/** Just before a write, or just after it. */
export type CrashMoment = 'before' | 'after';

/** Where a process is to die; plain data, so that it can be handed to a child process. */
export interface CrashPlan {
  /** Number of the point in the order of arrival, from 1 on, or its name as a recording shows it. */
  readonly point: number | string;
  readonly moment: CrashMoment;
}

/**
 * The writes of one process, in the order in which it comes to them.
 *
 * Wrappers such as `crashingSqlClient` report every write here, so that nothing has to be marked in
 * the code under test. With a plan the process dies at that point; without one the points are only
 * recorded. The second write of one name is called `<name> #2`, so that every point has its own name.
 */
export class CrashPoints {
  readonly #plan: CrashPlan | undefined;
  readonly #crash: () => void;
  readonly #passed: string[] = [];
  readonly #timesReached = new Map<string, number>();

  /**
   * @param plan Where to die; recorded only where absent.
   * @param crash What dying is; SIGKILL to this process unless given.
   */
  constructor(plan?: CrashPlan, crash: () => void = killThisProcess) {
    this.#plan = plan;
    this.#crash = crash;
  }

  /** Names of the points so far, each once, in the order of arrival. */
  get names(): readonly string[] {
    return this.#passed;
  }

  /**
   * Says that a write is about to happen.
   *
   * @returns What to call once it has happened.
   */
  reach(name: string): () => void {
    const times = (this.#timesReached.get(name) ?? 0) + 1;
    this.#timesReached.set(name, times);
    const unique = times === 1 ? name : `${name} #${times}`;
    const number = this.#passed.push(unique);
    this.#crashIf(number, unique, 'before');
    return () => this.#crashIf(number, unique, 'after');
  }

  /** Does a write as a point. @returns What the write returned. */
  async around<T>(name: string, write: () => Promise<T>): Promise<T> {
    const done = this.reach(name);
    const result = await write();
    done();
    return result;
  }

  #crashIf(number: number, name: string, moment: CrashMoment): void {
    if (this.#plan?.moment !== moment) return;
    if (this.#plan.point === number || this.#plan.point === name) this.#crash();
  }
}

/** The signal comes from the kernel before the call returns: nothing is flushed, nothing is closed. */
function killThisProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}
