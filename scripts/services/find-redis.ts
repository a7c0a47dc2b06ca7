import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cachedServer } from './fetch/server-cache.ts';
import type { GuardedCommand } from './guarded-process.ts';
import type { RedisFacts } from './redis-versions.ts';

/**
 * Finds a server on the PATH, else in the checkout's cache, into which it is fetched if need be.
 *
 * @param say Takes a line that the person at the terminal should see.
 * @returns The command that runs it; the server's own arguments come behind.
 * @throws Error that says in one line why there is none, and what would help.
 */
export async function findRedis(
  facts: RedisFacts,
  say: (line: string) => void,
): Promise<GuardedCommand> {
  const { name, program, banner, source, compose, variable } = facts;
  if ((await versionOf([program])).startsWith(banner)) return [program];
  try {
    const folder = await cachedServer(source.folder, (unfinished) => source.fetch(unfinished, say));
    const command = source.command(folder, program);
    const version = await versionOf(command);
    if (version.startsWith(banner)) return command;
    throw new Error(`${folder} answers "${version}": remove it to fetch it again`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${name} is not on the PATH and cannot be fetched (${reason}); install it, or run ` +
        `"docker compose up -d --wait ${compose.service}" and set ${variable}=redis://127.0.0.1:${compose.port}`,
      { cause },
    );
  }
}

/** @returns What the server prints about itself; nothing if it cannot be run. */
async function versionOf([file, ...args]: GuardedCommand): Promise<string> {
  const answer = promisify(execFile)(file, [...args, '--version']);
  return answer.then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}
