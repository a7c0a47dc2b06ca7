import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** A binary and its arguments. */
export type GuardedCommand = readonly [file: string, ...args: string[]];

/** What a guard runs, and what it cleans up. */
export interface GuardOrder {
  /** Run one after the other, each if the one before succeeded; the last one is the server. */
  readonly commands: readonly GuardedCommand[];
  /** Working folder of the commands; removed when they have ended. */
  readonly folder: string;
  /** What makes the server stop in good order, as in "SIGINT". */
  readonly stopSignal: NodeJS.Signals;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The user and group to run the commands as; ours where absent. */
  readonly uid?: number;
  readonly gid?: number;
}

/** A server that ends when this process does, however that happens. */
export interface GuardedProcess {
  /** Resolves with the last lines that the commands printed, once they have ended and the folder is gone. */
  readonly exited: Promise<string>;
  /** Asks the server to stop, kills it after ten seconds, and resolves when it is gone. */
  stop(): Promise<void>;
}

/** Runs the commands of `order` under a guard. */
export function startGuarded(order: GuardOrder): GuardedProcess {
  const guard = spawn(
    process.execPath,
    [fileURLToPath(new URL('guard.ts', import.meta.url)), JSON.stringify(order)],
    { detached: true, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const exited = text(guard.stdout);
  return {
    exited,
    async stop() {
      guard.stdin.end();
      await exited;
    },
  };
}
