import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { systemClock } from '@waybill/core';

import { Arrivals } from './arrivals.ts';

/** How a process ended: one of the two is null. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a worker tells its parent with `tellParent`. */
export type WorkerMessage<Details = unknown> = Details & { readonly kind: string };

const defaultDeadlineMs = 30_000;

/** A child process that tests talk to and kill. */
export class WorkerProcess {
  /** How it ended, once it has. */
  readonly exit: Promise<WorkerExit>;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #lines = new Arrivals<string>();
  readonly #messages = new Arrivals<WorkerMessage>();
  #stderr = '';

  constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#name = name;
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    child.on('message', (message) => this.#messages.add(message as WorkerMessage));
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => this.#lines.add(line));
    this.exit = this.#watchExit();
    killWithThisProcess(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it wrote to its standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits for a line of its standard output. @throws Error with its standard error if it ends before. */
  line(pattern: RegExp, deadlineMs: number = defaultDeadlineMs): Promise<string> {
    const what = `${this.#name} to print ${pattern}`;
    return this.#lines.take(what, (line) => pattern.test(line), deadlineMs);
  }

  /** Waits for a message of that kind. @throws Error with its standard error if it ends before. */
  async message<Details = unknown>(
    kind: string,
    deadlineMs: number = defaultDeadlineMs,
  ): Promise<WorkerMessage<Details>> {
    const what = `the message ${kind} from ${this.#name}`;
    const message = await this.#messages.take(what, (came) => came.kind === kind, deadlineMs);
    return message as WorkerMessage<Details>;
  }

  /** Sends a signal and does not wait, as for SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills it and waits. @throws Error if it ended in any other way than by this signal. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.killed(signal);
  }

  /** Waits until a signal has ended it, whoever sent it. @throws Error if it ended in any other way. */
  async killed(
    signal: NodeJS.Signals = 'SIGKILL',
    deadlineMs: number = defaultDeadlineMs,
  ): Promise<void> {
    const exit = await this.ended(deadlineMs);
    if (exit.signal !== signal) throw this.#error(`should have been killed by ${signal}`, exit);
  }

  /** Waits until it has ended by itself with code 0. @throws Error with its standard error otherwise. */
  async finished(deadlineMs: number = defaultDeadlineMs): Promise<void> {
    const exit = await this.ended(deadlineMs);
    if (exit.code !== 0) throw this.#error('should have finished', exit);
  }

  /**
   * Waits until it has ended, in whatever way.
   *
   * @throws Error with its standard error if it still runs after `deadlineMs`; it is killed then.
   */
  async ended(deadlineMs: number = defaultDeadlineMs): Promise<WorkerExit> {
    let late = false;
    const cancel = systemClock.schedule(deadlineMs, () => {
      late = true;
      this.#child.kill('SIGKILL');
    });
    const exit = await this.exit;
    cancel();
    if (late) throw this.#error(`was still running after ${deadlineMs} ms`, exit);
    return exit;
  }

  /** Kills it if it still runs, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) this.#child.kill('SIGKILL');
    await this.exit;
  }

  async #watchExit(): Promise<WorkerExit> {
    // Its last messages may come after its end, but not after the end of their channel.
    const [end] = await Promise.all([once(this.#child, 'close'), once(this.#child, 'disconnect')]);
    const exit: WorkerExit = { code: end[0], signal: end[1] };
    this.#lines.end(this.#error('has ended', exit));
    this.#messages.end(this.#error('has ended', exit));
    return exit;
  }

  #error(what: string, { code, signal }: WorkerExit): Error {
    const how = signal ? `killed by ${signal}` : `exit code ${code}`;
    const said = this.#stderr.trim() === '' ? 'nothing' : `\n${this.#stderr.trim()}`;
    return new Error(`worker ${this.#name} ${what}: ${how}; it said ${said}`);
  }
}

const running = new Set<ChildProcess>();

/** The channel tells a worker that its parent is gone; one that is stopped or busy cannot hear it. */
function killWithThisProcess(child: ChildProcess): void {
  if (running.size === 0) process.once('exit', killAll);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.removeListener('exit', killAll);
  });
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}
