import { spawn, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A file that Node runs, and as what people know it. */
export interface Program {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}

/** When a process is started again, and when it is given up; times in milliseconds. */
export interface Patience {
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** Whoever was ready for so long is started again as if it had never failed before. */
  readonly steadyAfterMs: number;
  /** Starts in a row that may fail before it is ready. */
  readonly maxFailedStarts: number;
  /** How long one may take to stop in order. */
  readonly stopMs: number;
}

export interface WatchedProcessOptions {
  readonly program: Program;
  readonly patience: Patience;
  /** Hears what the process tells through its channel. */
  readonly onMessage: (message: unknown) => void;
  readonly onRestart: (how: string) => void;
}

/** A process cannot be started, and the message says what it said. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

const keptCharacters = 4_000;

/** A process that is started again, after a growing delay, whenever it ends unasked. */
export class WatchedProcess {
  /** Resolves when the process was stopped; rejects with a `StartFailure` if it cannot be started. */
  readonly finished: Promise<void>;
  readonly #options: WatchedProcessOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #readyAtMs: number | undefined;
  #lastWords = '';

  constructor(options: WatchedProcessOptions) {
    this.#options = options;
    this.finished = this.#watch();
    this.finished.catch(() => {}); // it is for whoever asks
  }

  /** True while the process has said that it is ready, and has not ended since. */
  get isReady(): boolean {
    return this.#readyAtMs !== undefined;
  }

  /** Notes that the process works. */
  noteReady(): void {
    this.#readyAtMs = performance.now();
  }

  /** Asks the process to stop, and ends it when that takes too long. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#child?.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), this.#options.patience.stopMs);
    await this.finished.catch(() => {});
    clearTimeout(timer);
  }

  /** Ends the process as it stands, for good. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.kill('SIGKILL');
  }

  async #watch(): Promise<void> {
    const { program, patience, onRestart } = this.#options;
    const { signal } = this.#stopping;
    let failedStarts = 0;
    let delayMs = patience.firstDelayMs;
    while (!signal.aborted) {
      const how = await this.#runOnce();
      const readyAtMs = this.#readyAtMs;
      this.#readyAtMs = undefined;
      if (signal.aborted) return;
      if (readyAtMs === undefined) {
        failedStarts += 1;
        if (failedStarts === patience.maxFailedStarts) throw this.#givenUp(how);
      } else {
        failedStarts = 0;
        const readyForMs = performance.now() - readyAtMs;
        if (readyForMs >= patience.steadyAfterMs) delayMs = patience.firstDelayMs;
      }
      onRestart(`${program.name} ${how}${this.#why()}, and is started again`);
      await sleep(delayMs, undefined, { signal }).catch(() => {});
      delayMs = Math.min(delayMs * 2, patience.longestDelayMs);
    }
  }

  /** @returns How it ended. */
  async #runOnce(): Promise<string> {
    const child = this.#spawn();
    this.#child = child;
    this.#lastWords = '';
    const keep = (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-keptCharacters);
    };
    child.stdout!.setEncoding('utf8').on('data', keep);
    child.stderr!.setEncoding('utf8').on('data', keep);
    child.on('message', this.#options.onMessage);
    const { promise, resolve } = Promise.withResolvers<string>();
    child.once('error', (error) => {
      keep(error.message);
      // One that runs and cannot be sent a signal is not at its end.
      if (child.pid === undefined) resolve('could not be started');
    });
    child.once('close', (code, signal) =>
      resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    );
    return await promise;
  }

  #spawn(): ChildProcess {
    const { file, args } = this.#options.program;
    return spawn(process.execPath, ['--conditions=source', file, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Sixteen processes that compile the same sources would take seconds to start.
      env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
    });
  }

  /** The first line of its last words; what follows is where in the code it was. */
  #why(): string {
    const [line = ''] = this.#lastWords.trim().split('\n', 1);
    return line === '' ? '' : ` (${line})`;
  }

  #givenUp(how: string): StartFailure {
    const { name } = this.#options.program;
    const times = this.#options.patience.maxFailedStarts;
    const words = this.#lastWords.trim() || '(nothing)';
    return new StartFailure(
      `${name} ${how}, ${times} times in a row before it was ready. Its last words:\n${words}`,
    );
  }
}
