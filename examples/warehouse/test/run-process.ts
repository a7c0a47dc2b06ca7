import { spawn } from 'node:child_process';
import { join } from 'node:path';

const example = join(import.meta.dirname, '..');

/** How a process ended, and all that it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a file of the example in a process of its own.
 *
 * @param environment Added to the one of the tests, in which no database is named.
 * @param interrupt Sends a signal as soon as the process has said something.
 */
export async function runProcess(
  file: 'src/main.ts' | 'test/dying-run.ts',
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  interrupt?: { readonly once: RegExp; readonly signal: NodeJS.Signals },
): Promise<Ended> {
  const { DATABASE_URL: _, INIT_CWD: __, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--conditions=source', join(example, file), ...args], {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const before = stderr;
    stderr += text;
    if (interrupt?.once.test(stderr) && !interrupt.once.test(before)) child.kill(interrupt.signal);
  });
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  return await promise;
}
