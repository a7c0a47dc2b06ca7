import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Where a process runs: only processes with the same values can tell whether one another live. */
export interface Machine {
  /** Tells machines and containers apart, also those that share a disk. */
  readonly machine: string;
  /** Changes with every start of the machine; empty where the system does not tell. */
  readonly boot: string;
}

export function thisMachine(): Machine {
  return {
    machine: [hostname(), readLine('/etc/machine-id')].join(' ').trim(),
    boot: readLine('/proc/sys/kernel/random/boot_id'),
  };
}

function readLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // Only Linux has these files; elsewhere the host name has to do.
  }
}
