// npm run examples [-- <name> …]: runs every example that says what it prints, and compares.

import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root, toolEnvironment } from './bootstrap.mjs';
import { compareOutput } from './compare-output.ts';
import { withProgress } from './progress.mjs';

const wanted = process.argv.slice(2);
const names = globSync('examples/*/expected.txt', { cwd: root })
  .map((file) => basename(dirname(file)))
  .toSorted();
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`No such example: ${unknown.join(', ')}. There is: ${names.join(', ')}.`);
  process.exitCode = 2;
}
for (const name of names.filter((each) => wanted.length === 0 || wanted.includes(each))) {
  const difference = await withProgress(name, runExample(name));
  console.log(difference === undefined ? `✓ ${name}` : `✗ ${name}\n${difference}`);
  if (difference !== undefined) process.exitCode = 1;
}

/**
 * Runs an example without arguments in an empty working folder, where it keeps its data.
 *
 * @returns What is wrong with its output, undefined if nothing.
 */
async function runExample(name: string): Promise<string | undefined> {
  const folder = join(root, 'examples', name);
  const scratch = await mkdtemp(join(tmpdir(), 'waybill-example-'));
  const { DATABASE_URL: _, ...environment } = toolEnvironment();
  const options = { cwd: scratch, env: environment, maxBuffer: 16_000_000 };
  try {
    const args = ['--conditions=source', join(folder, 'src', 'main.ts')];
    const { stdout } = await promisify(execFile)('node', args, options);
    return compareOutput(readFileSync(join(folder, 'expected.txt'), 'utf8'), stdout);
  } catch (error) {
    return String(error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
