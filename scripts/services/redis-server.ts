import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { startGuarded, type GuardedCommand } from './guarded-process.ts';
import type { RedisVersion } from './redis-versions.ts';
import { createScratchFolder } from './scratch-folder.ts';
import type { RunningService } from './service.ts';

const ANSWER_DEADLINE_MS = 5_000;

/** One server to run. */
export interface RedisLaunch {
  /** What runs the server; from `findRedis`. */
  readonly command: GuardedCommand;
  readonly version: RedisVersion;
  readonly port: number;
  readonly password: string;
  /** Where the server keeps its data; where absent, in a scratch folder that goes when it ends. */
  readonly dataFolder?: string;
  /** Further settings, as in `{ maxmemory: '8mb' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts a server, and does not wait until it answers. */
export async function launchRedis(launch: RedisLaunch): Promise<RunningService> {
  const folder = await createScratchFolder(`redis-${launch.version}`);
  const settings = settingsOf(launch, launch.dataFolder ?? folder);
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const commands: GuardedCommand[] = [[...launch.command, ...args]];
  const server = startGuarded({ commands, folder, stopSignal: 'SIGTERM' });
  return { url: `redis://:${launch.password}@127.0.0.1:${launch.port}`, ...server };
}

/** The mode that users run: each write goes to a log, and the log to the disk every second. */
function settingsOf(launch: RedisLaunch, dir: string): Record<string, string> {
  return {
    bind: '127.0.0.1',
    port: String(launch.port),
    requirepass: launch.password,
    dir,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    // 6.2 always allows DEBUG, and does not know the setting.
    ...(launch.version === '6.2' ? {} : { 'enable-debug-command': 'local' }),
    ...launch.settings,
  };
}

/** Asks the server at `url` once whether it is there, and rejects with what went wrong. */
export async function pingRedis(url: string): Promise<void> {
  await askRedis(url, (client) => client.ping());
}

/**
 * Connects once, and closes the connection after `ask`.
 *
 * @throws What the server or the network said.
 */
export async function askRedis<T>(url: string, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    disconnectTimeout: 0, // else a connection that was refused keeps the process for two seconds
    connectTimeout: ANSWER_DEADLINE_MS,
    commandTimeout: ANSWER_DEADLINE_MS,
  });
  let reason: unknown;
  client.on('error', (error) => (reason = error));
  try {
    await client.connect();
    return await ask(client);
  } catch (error) {
    throw reason ?? error; // a connection that fails rejects with no more than "Connection is closed."
  } finally {
    client.disconnect();
  }
}

/** True of the last words of a server whose port somebody else took. */
export function portWasTaken(lastWords: string): boolean {
  return lastWords.includes('Address already in use');
}

/** A password that nobody guesses. */
export function randomPassword(): string {
  return randomBytes(12).toString('hex');
}
