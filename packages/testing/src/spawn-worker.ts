import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import { siblingModule } from './sibling-module.ts';
import { WorkerProcess } from './worker-process.ts';

export interface WorkerOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How far the worker's own clock is off, in milliseconds; may be negative. */
  readonly clockShiftMs?: number;
}

/**
 * Runs a module in a process of its own, under the same Node. A TypeScript module runs from sources,
 * and so do the packages it imports (`--conditions=source`).
 *
 * The worker ends when this process does, however that happens; one that is stopped, when it goes on.
 *
 * @param module Path or file URL.
 * @param args Anything that survives JSON; the worker reads it with `workerArgs()`.
 */
export function spawnWorker(
  module: string | URL,
  args: unknown = null,
  options: WorkerOptions = {},
): WorkerProcess {
  const { clockShiftMs, env } = options;
  const file = module instanceof URL || module.startsWith('file:') ? fileURLToPath(module) : module;
  const preloads = [
    new URL('./worker-preload.ts', import.meta.url),
    ...(clockShiftMs === undefined ? [] : [new URL('./shifted-clock.ts', import.meta.url)]),
  ];
  const child = spawn(
    process.execPath,
    [
      ...(file.endsWith('.ts') ? ['--conditions=source'] : []),
      ...preloads.map((url) => `--import=${siblingModule(url, import.meta.url).href}`),
      file,
      JSON.stringify(args),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        ...env,
        ...(clockShiftMs === undefined ? {} : { WAYBILL_CLOCK_SHIFT_MS: String(clockShiftMs) }),
      },
    },
  );
  return new WorkerProcess(child, basename(file));
}
