import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { SpecBlock } from './spec-blocks.ts';
import type { Surroundings } from './surroundings.ts';

export const root: string = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** A block that cannot stand as printed, with the one change that is made to it. */
export interface Exception {
  readonly hash: string;
  readonly section: string;
  readonly reason: string;
  /** Regular expression, with the flags `g` and `m`. */
  readonly from: string;
  readonly to: string;
}

/** The code of a block with its one change made, if it has one. */
export function codeOf(block: SpecBlock, exceptions: readonly Exception[]): string {
  const exception = exceptions.find(({ hash }) => hash === block.hash);
  if (!exception) return block.code;
  const changed = block.code.replace(new RegExp(exception.from, 'gm'), exception.to);
  if (changed === block.code) throw new Error(`the exception for ${block.hash} changes nothing`);
  return changed;
}

/**
 * Compiles each block as a module of its own against the built packages; the files of a service as one service.
 *
 * @returns What the compiler says, with the hash of the block in every line; empty when all is well.
 */
export async function compileBlocks(
  blocks: readonly SpecBlock[],
  exceptions: readonly Exception[],
  surroundings: Readonly<Record<string, Surroundings>>,
): Promise<string> {
  const built = await compile(['-b', 'packages/quickwms-events'], root);
  if (built !== '') return `the packages do not build:\n${built}`;
  const folder = join(root, '.cache', 'spec');
  await rm(folder, { recursive: true, force: true });
  await write(folder, 'tsconfig.json', JSON.stringify(configuration));
  const names = new Map<string, string>();
  for (const block of blocks) {
    const { declared = '', checked = '', path } = surroundings[block.hash] ?? {};
    const file = path ? `service/${path}` : `${block.hash}.ts`;
    names.set(file, `${block.hash} (${block.section})`);
    await write(folder, file, `${declared}${codeOf(block, exceptions)}${checked}\nexport {};\n`);
  }
  const output = await compile(['-p', folder, '--pretty', 'false'], folder);
  return output.replaceAll(
    /^([\w./-]+\.ts)\(/gm,
    (_, file: string) => `${names.get(file) ?? file}(`,
  );
}

/** What the compiler says; empty when all is well. */
async function compile(args: readonly string[], cwd: string): Promise<string> {
  try {
    await run('tsc', args, { cwd });
    return '';
  } catch (error) {
    return String((error as { stdout?: string }).stdout || error);
  }
}

/** As a service with the usual strict settings would have it; imports as the specification writes them. */
const configuration = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024'],
    module: 'esnext',
    moduleResolution: 'bundler',
    types: ['node'],
    strict: true,
    noImplicitAny: false,
    noEmit: true,
    skipLibCheck: true,
    esModuleInterop: true,
  },
  include: ['**/*.ts'],
};

async function write(folder: string, file: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), text);
}
