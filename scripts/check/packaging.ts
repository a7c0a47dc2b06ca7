// Packs every package as npm would publish it, and checks what a user would get.

import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../bootstrap.mjs';

interface Packed {
  readonly name: string;
  readonly tarball: string;
  /** Names that a user may import. */
  readonly published: readonly string[];
}

const run = promisify(execFile);
const folder = join(root, '.cache', 'packaging');

/** Packs the package in `packageFolder` and unpacks it to where Node finds it when run in `folder`. */
async function pack(packageFolder: string): Promise<Packed> {
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, unknown>;
  };
  const options = ['--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', ['pack', ...options], { cwd: packageFolder });
  const tarball = join(folder, basename(fileNameIn(stdout)));
  const target = join(folder, 'node_modules', manifest.name);
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  const subpaths = Object.keys(manifest.exports).filter((path) => path !== './package.json');
  return {
    name: manifest.name,
    tarball,
    published: subpaths.map((path) => manifest.name + path.slice(1)),
  };
}

/** npm 11 answers with a list of packed packages, npm 12 with an object keyed by their names. */
function fileNameIn(packOutput: string): string {
  const [first] = Object.values(JSON.parse(packOutput) as Record<string, { filename: string }>);
  if (first === undefined) throw new Error(`npm pack named no file: ${packOutput}`);
  return first.filename;
}

/** @returns What is wrong with a packed package, one entry per tool that complained. */
async function check({ name, tarball, published }: Packed): Promise<string[]> {
  const imports = published.map((each) => `await import(${JSON.stringify(each)});`).join(' ');
  const commands: [string, ...string[]][] = [
    ['publint', tarball, '--strict'],
    ['attw', tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii'],
    ['node', '--input-type=module', '-e', imports],
  ];
  const complaints: string[] = [];
  for (const [file, ...args] of commands) {
    const failure = await run(file, args, { cwd: folder }).catch((error: unknown) => error);
    if (failure instanceof Error) complaints.push(`${name}, ${file}: ${describe(failure)}`);
  }
  return complaints;
}

function describe(failure: Error & { stdout?: string; stderr?: string }): string {
  return `${failure.stdout ?? ''}${failure.stderr ?? ''}`.trim() || failure.message;
}

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const manifests = globSync('packages/*/package.json', { cwd: root }).sort();
const packed = await Promise.all(manifests.map((file) => pack(join(root, dirname(file)))));
const complaints = (await Promise.all(packed.map(check))).flat();
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exitCode = 1;
