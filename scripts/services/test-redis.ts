import { findRedis } from './find-redis.ts';
import { freePort } from './free-port.ts';
import { holdFolder, type HeldFolder } from './held-folder.ts';
import {
  askRedis,
  launchRedis,
  portWasTaken,
  randomPassword,
  type RedisLaunch,
} from './redis-server.ts';
import { redisVersions, type RedisVersion } from './redis-versions.ts';
import type { RunningService } from './service.ts';
import { startServer } from './start-server.ts';

/** Tells whether this run has that server; a suite that needs one uses `describe.skipIf(!hasRedis())`. */
export function hasRedis(version: RedisVersion = '7.0'): boolean {
  return Boolean(process.env[redisVersions[version].variable]);
}

/**
 * The URL of the run's server. All test files share it, so each keeps to keys of its own.
 *
 * @param version 7.0 where absent.
 * @throws Error if the run has no such server.
 */
export function redisUrl(version: RedisVersion = '7.0'): string {
  const { variable } = redisVersions[version];
  const url = process.env[variable];
  if (!url) throw new Error(`${variable} is not set`);
  return url;
}

/**
 * Tells whether `startTestRedis` finds binaries, which a machine whose server is given by URL may lack; a
 * suite that needs them uses `describe.skipIf(!(await canStartRedis()))`.
 *
 * With `CI=true` it always says yes: there, a skipped suite would look like a passed one.
 */
export async function canStartRedis(version: RedisVersion = '7.0'): Promise<boolean> {
  if (process.env.CI === 'true') return true;
  const found = findRedis(redisVersions[version], console.error);
  return found.then(
    () => true,
    () => false,
  );
}

/** Which server, and how it is set up. */
export interface TestRedisOptions {
  /** 7.0 where absent. */
  readonly version?: RedisVersion;
  /** As in redis.conf, such as `{ maxmemory: '8mb' }`; they hold after a restart too. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts a server of a test's own, with empty data.
 *
 * @throws Error that says why there is none, and what would help.
 */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const { version = '7.0', settings = {} } = options;
  const command = await findRedis(redisVersions[version], console.error);
  const data = await holdFolder(`redis-${version}-data`);
  const setup = { command, version, settings, password: randomPassword(), dataFolder: data.path };
  try {
    return new TestRedis(data, setup, await start(setup, freePort));
  } catch (error) {
    await data.release();
    throw error;
  }
}

/** A server of one test's own, for what cannot be done to one that others use. */
export class TestRedis {
  /** Stays the same over restarts. */
  readonly url: string;
  readonly #data: HeldFolder;
  readonly #setup: Setup;
  #server: Started;
  #isFrozen = false;

  constructor(data: HeldFolder, setup: Setup, server: Started) {
    this.url = server.url;
    this.#data = data;
    this.#setup = setup;
    this.#server = server;
  }

  /** Kills the server with SIGKILL, as a crash does; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#server.exited;
    this.#isFrozen = false;
  }

  /** Stops the server in good order unless it is gone, and starts it again, with its data or without. */
  async restart({ keepData }: { keepData: boolean }): Promise<void> {
    await this.#stopServer();
    if (!keepData) await this.#data.empty();
    this.#server = await start(this.#setup, async () => Number(new URL(this.url).port));
  }

  /** Halts the server: it keeps its connections, and answers nothing until `thaw`. */
  freeze(): void {
    this.#signal('SIGSTOP');
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#signal('SIGCONT');
    this.#isFrozen = false;
  }

  /** Stops the server, frozen or not, and removes its data; resolves when both are gone. */
  async stop(): Promise<void> {
    await this.#stopServer();
    await this.#data.release();
  }

  async #stopServer(): Promise<void> {
    if (this.#isFrozen) this.thaw();
    await this.#server.stop();
  }

  #signal(signal: NodeJS.Signals): void {
    process.kill(this.#server.pid, signal);
  }
}

type Setup = Omit<RedisLaunch, 'port'>;
type Started = RunningService & { readonly pid: number };

async function start(setup: Setup, choosePort: () => Promise<number>): Promise<Started> {
  let pid = 0;
  const server = await startServer({
    name: redisVersions[setup.version].name,
    launch: async () => launchRedis({ ...setup, port: await choosePort() }),
    portWasTaken,
    async ping(url) {
      pid = await askRedis(url, async (client) => {
        await client.ping(); // which fails while the server reads its data; INFO does not
        return Number(/^process_id:(\d+)/m.exec(await client.info('server'))?.[1]);
      });
    },
  });
  return { ...server, pid };
}
