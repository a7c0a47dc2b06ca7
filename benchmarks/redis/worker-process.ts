import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { Commands } from './commands.ts';

export type CommandName = Exclude<keyof Commands, symbol>;

/** What a worker is told. */
export interface Order {
  readonly id: number;
  readonly command: CommandName;
  readonly args: readonly unknown[];
}

/** What it says when that is done. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** A process of a contender. It lives through all rounds, so that its code is compiled after the first. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #orders = 0;

  constructor(contender: string) {
    this.#name = contender;
    this.#child = fork(new URL('worker.ts', import.meta.url), [contender], {
      execArgv: [...process.execArgv, '--expose-gc'],
    });
    this.#child.on('message', (answer: Answer) => this.#answered(answer));
    this.#child.on('exit', () => this.#ended());
  }

  /** Has something done. @throws What it threw there, or that the process has ended. */
  call<Name extends CommandName>(
    command: Name,
    ...args: Parameters<Commands[Name]>
  ): ReturnType<Commands[Name]> {
    const answer = Promise.withResolvers<unknown>();
    const id = (this.#orders += 1);
    this.#waiting.set(id, answer);
    this.#child.send({ id, command, args } satisfies Order);
    return answer.promise as ReturnType<Commands[Name]>;
  }

  async end(): Promise<void> {
    if (!this.#child.connected) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)!;
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting.reject(new Error(`${this.#name}: ${answer.error}`));
    else waiting.resolve(answer.result);
  }

  #ended(): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`a process of ${this.#name} has ended`));
    }
    this.#waiting.clear();
  }
}
