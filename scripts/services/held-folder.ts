import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startGuarded } from './guarded-process.ts';
import { createScratchFolder } from './scratch-folder.ts';

/** A scratch folder for what outlives a single server. */
export interface HeldFolder {
  readonly path: string;
  /** Removes what is in the folder. */
  empty(): Promise<void>;
  /** Removes the folder; the servers that use it have to be gone. */
  release(): Promise<void>;
}

/**
 * Makes an empty scratch folder that stays until `release`, or until this process ends, however that happens.
 *
 * It has a guard, as a server has; the process that is guarded only waits.
 */
export async function holdFolder(name: string): Promise<HeldFolder> {
  const path = await createScratchFolder(name);
  const holder = startGuarded({
    commands: [['tail', '-f', '/dev/null']],
    folder: path,
    stopSignal: 'SIGTERM',
  });
  return {
    path,
    async empty() {
      const names = await readdir(path);
      await Promise.all(names.map((each) => rm(join(path, each), { recursive: true })));
    },
    release: () => holder.stop(),
  };
}
