import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const example = join(import.meta.dirname, '..');

/** How a process ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** What can be run: the example itself, and what dies on purpose. */
type Entry = 'src/main.ts' | 'test/dying-run.ts' | 'test/dying-services.ts';

/**
 * Runs a file of the example in a process of its own, until it ends.
 *
 * @param environment Added to the one of the tests, in which no server is named.
 * @param interrupt Sends a signal as soon as the process has said something.
 */
export async function runProcess(
  file: Entry,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  interrupt?: { readonly once: RegExp; readonly signal: NodeJS.Signals },
): Promise<Ended> {
  const { child, ended } = startProcess(file, args, environment);
  let said = '';
  child.stderr!.on('data', (text: string) => {
    const before = said;
    said += text;
    if (interrupt?.once.test(said) && !interrupt.once.test(before)) child.kill(interrupt.signal);
  });
  return await ended;
}

/** Starts a file of the example in a process of its own. */
export function startProcess(
  file: Entry,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Running {
  const { DATABASE_URL: _, REDIS_URL: __, INIT_CWD: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--conditions=source', join(example, file), ...args], {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  return { child, ended: promise };
}
