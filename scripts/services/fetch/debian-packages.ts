import { execFile, type ExecFileException } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GuardedCommand } from '../guarded-process.ts';

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
// Mirrors keep the archive's own folder names; a snapshot has its time behind them.
const debianMirror = /\/debian(-security)?(\.list)?(\/\d{8}T\d{6}Z)?\/?$/;
const serverProgram = /^(redis|valkey)-/;
const platforms: Readonly<Record<string, { triplet: string; loader: string }>> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/** Which packages, of which release of Debian. */
export interface DebianPackages {
  /** Code name of the release, as in "bookworm". */
  readonly suite: string;
  readonly packages: readonly string[];
}

/**
 * Downloads servers from the machine's own Debian mirror, and unpacks them into `folder`: their programs
 * into `bin`, and every library that they need, the C library included, into `lib`.
 *
 * Needs no root and installs nothing: apt works on a state of its own, as on a machine with no package at
 * all, and verifies what it downloads by the keys of Debian.
 *
 * @param say Takes a line that the person at the terminal should see.
 * @throws Error that says in one line why the packages cannot be had.
 */
export async function fetchDebianPackages(
  { suite, packages }: DebianPackages,
  folder: string,
  say: (line: string) => void,
): Promise<void> {
  const work = join(folder, 'work');
  const config = await prepareApt(suite, work);
  say(`Fetching ${packages.join(' and ')} from Debian ${suite} into .cache (once).`);
  const apt = (...args: string[]) => run('apt-get', ['-c', config, '-qq', '--yes', ...args]);
  await apt('update');
  await apt('install', '--download-only', ...packages);
  const archives = join(work, 'archives');
  for (const file of await readdir(archives)) {
    if (file.endsWith('.deb'))
      await run('dpkg-deb', ['-x', join(archives, file), join(work, 'tree')]);
  }
  await keepServers(join(work, 'tree'), folder);
  await rm(work, { recursive: true });
}

/** A command that runs `program` from `folder` on the libraries there: the system's may be too old. */
export function unpackedCommand(folder: string, program: string): GuardedCommand {
  const lib = join(folder, 'lib');
  return [join(lib, thisPlatform().loader), '--library-path', lib, join(folder, 'bin', program)];
}

/** @returns Path of a configuration that keeps apt away from everything outside of `work`. */
async function prepareApt(suite: string, work: string): Promise<string> {
  await mkdir(join(work, 'lists', 'partial'), { recursive: true });
  await mkdir(join(work, 'archives', 'partial'), { recursive: true });
  await mkdir(join(work, 'tree'));
  await writeFile(join(work, 'status'), '');
  await writeFile(join(work, 'sources.list'), (await sourcesFor(suite)).join(''));
  const config = join(work, 'apt.conf');
  await writeFile(
    config,
    `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
Acquire::Retries "3";
Dir::State "${work}";
Dir::State::status "${work}/status";
Dir::Cache "${work}";
Dir::Etc::sourcelist "${work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
`,
  );
  return config;
}

/** The machine's own sources of Debian, in the format of sources.list, for another release. */
async function sourcesFor(suite: string): Promise<string[]> {
  thisPlatform();
  const targets = await run('apt-get', [
    'indextargets',
    '--no-release-info',
    '--format=$(REPO_URI) $(RELEASE)',
    'Identifier: Packages',
    'Component: main',
  ]);
  const release = await readFile('/etc/os-release', 'utf8');
  const [, codeName = ''] = /^VERSION_CODENAME=(\w+)$/m.exec(release) ?? [];
  const suites = new Map([
    [codeName, suite],
    [`${codeName}-security`, `${suite}-security`],
  ]);
  const sources = [...new Set(targets.split('\n'))].flatMap((target) => {
    const [uri = '', from = ''] = target.split(' ');
    const to = suites.get(from);
    if (to === undefined || !debianMirror.test(uri)) return [];
    return [`deb [target=Packages signed-by=${keyring}] ${uri} ${to} main\n`];
  });
  if (sources.length === 0) throw new Error('apt has no mirror of Debian here');
  return sources;
}

/** Moves the servers and all libraries out of an unpacked tree; the rest of a Debian is not needed. */
async function keepServers(tree: string, folder: string): Promise<void> {
  const { triplet } = thisPlatform();
  const isFile = (entry: { isDirectory(): boolean }) => !entry.isDirectory();
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'lib'));
  for (const from of [join(tree, 'lib', triplet), join(tree, 'usr', 'lib', triplet)]) {
    if (!existsSync(from)) continue; // older releases have both
    const entries = await readdir(from, { withFileTypes: true });
    for (const { name } of entries.filter(isFile)) {
      await rename(join(from, name), join(folder, 'lib', name));
    }
  }
  const programs = await readdir(join(tree, 'usr', 'bin'));
  for (const name of programs.filter((each) => serverProgram.test(each))) {
    await rename(join(tree, 'usr', 'bin', name), join(folder, 'bin', name));
  }
}

function thisPlatform(): { triplet: string; loader: string } {
  const platform = process.platform === 'linux' ? platforms[process.arch] : undefined;
  if (platform !== undefined) return platform;
  throw new Error(`Debian's packages do not run on ${process.platform}-${process.arch}`);
}

async function run(file: string, args: readonly string[]): Promise<string> {
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    const options = { env, maxBuffer: MAX_OUTPUT_BYTES };
    return (await promisify(execFile)(file, args, options)).stdout;
  } catch (cause) {
    const { message, stderr = '' } = cause as ExecFileException;
    const complaint = /^E: .*$/m.exec(stderr)?.[0] ?? message;
    throw new Error(`${file}: ${complaint.split('\n', 1)[0]}`, { cause });
  }
}
