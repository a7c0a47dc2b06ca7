import type { ServiceMessage } from './service-message.ts';
import { WatchedProcess, type Patience, type Program } from './watched-process.ts';

export interface SupervisorOptions {
  readonly programs: readonly Program[];
  /** Hears what a person would want to know meanwhile. */
  readonly say: (line: string) => void;
  readonly patience?: Patience;
}

const usualPatience: Patience = {
  firstDelayMs: 250,
  longestDelayMs: 5_000,
  steadyAfterMs: 10_000,
  maxFailedStarts: 7,
  stopMs: 20_000,
};

/** Starts processes, starts those again that end unasked, and stops all of them together. */
export class Supervisor {
  /** Rejects with a `StartFailure` when a process cannot be started. */
  readonly failure: Promise<never>;
  readonly #processes: readonly WatchedProcess[];
  readonly #say: (line: string) => void;
  readonly #joined = new Set<WatchedProcess>();
  readonly #losses = new Set<string>();
  #restarts = 0;

  constructor({ programs, say, patience = usualPatience }: SupervisorOptions) {
    this.#say = say;
    this.#processes = programs.map((program) => {
      const watched: WatchedProcess = new WatchedProcess({
        program,
        patience,
        onRestart: (how) => this.#noteRestart(how),
        onMessage: (message) => this.#hear(message as ServiceMessage, watched),
      });
      return watched;
    });
    this.failure = this.#firstFailure();
    this.failure.catch(() => {}); // only who asks for it wants to hear of it
  }

  /** How often a process was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** How many things were lost, each of which was said once. */
  get losses(): number {
    return this.#losses.size;
  }

  /** True once each process has been ready, also if one is away now. */
  get areAllJoined(): boolean {
    return this.#joined.size === this.#processes.length;
  }

  /** How many processes are ready now. */
  get up(): number {
    return this.#processes.filter(({ isReady }) => isReady).length;
  }

  /** Stops all processes in order. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.stop()));
  }

  /** Ends all processes as they stand. */
  kill(): void {
    for (const each of this.#processes) each.kill();
  }

  #firstFailure(): Promise<never> {
    const { promise, reject } = Promise.withResolvers<never>();
    for (const { finished } of this.#processes) void finished.then(undefined, reject);
    return promise;
  }

  #hear(message: ServiceMessage, watched: WatchedProcess): void {
    if (message.kind === 'lost') return this.#noteLoss(message.what);
    watched.noteReady();
    this.#joined.add(watched);
  }

  #noteRestart(how: string): void {
    this.#restarts += 1;
    this.#say(how);
  }

  /** Several processes may see one and the same loss. */
  #noteLoss(what: string): void {
    if (this.#losses.has(what)) return;
    this.#losses.add(what);
    this.#say(what);
  }
}
