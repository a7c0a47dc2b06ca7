import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { codeOf, root, type Exception } from './compile-blocks.ts';
import exceptions from './exceptions.json' with { type: 'json' };
import { readSpecBlocks, type SpecBlock } from './spec-blocks.ts';
import { surroundings } from './surroundings.ts';

const folder = join(root, '.cache', 'spec-run');
const blocks = new Map(readSpecBlocks('quickwms-events').map((block) => [block.hash, block]));

/** What the modules of running blocks find instead of the names that the specification takes for granted. */
declare global {
  var specNames: Record<string, unknown>;
}

/** Lays out the files of the specification's service. */
export async function layOutService(): Promise<void> {
  await rm(join(folder, 'service'), { recursive: true, force: true });
  for (const [hash, { path, declared = '' }] of Object.entries(surroundings)) {
    if (!path) continue;
    const imports = declared.match(/^import .*$/gm)?.join('\n') ?? '';
    await write(
      `service/${path}`,
      `${imports}\n${codeOf(blocks.get(hash)!, exceptions as Exception[])}`,
    );
  }
}

/**
 * Gives blocks an `ioredis` of their own, whose `new Redis()` finds this server: the specification takes for
 * granted that Redis listens on port 6379 without a password, where a test must not look for one.
 */
export async function layOutRedisClient(place: object): Promise<void> {
  const realClient = createRequire(import.meta.url).resolve('ioredis');
  const name = 'node_modules/ioredis';
  await write(`${name}/package.json`, JSON.stringify({ name: 'ioredis', main: 'index.mjs' }));
  await write(
    `${name}/index.mjs`,
    `import { Redis } from ${JSON.stringify(pathToFileURL(realClient).href)};
export default class extends Redis {
  constructor(options) {
    super({ ...${JSON.stringify(place)}, ...options });
  }
}
`,
  );
}

/** Imports a file of the specification's service. */
export function importServiceFile(path: string): Promise<Record<string, unknown>> {
  return import(pathToFileURL(join(folder, 'service', path)).href);
}

/**
 * Runs one block as a module.
 *
 * @param imports Import lines that the specification takes for granted.
 * @param names Values for further names.
 */
export async function runBlock(
  hash: string,
  {
    imports = '',
    names = {},
    after = '',
  }: { imports?: string; names?: Record<string, unknown>; after?: string } = {},
): Promise<Record<string, unknown>> {
  globalThis.specNames = { ...globalThis.specNames, ...names };
  const given =
    Object.keys(names).length > 0
      ? `const { ${Object.keys(names).join(', ')} } = globalThis.specNames;\n`
      : '';
  const block: SpecBlock = blocks.get(hash)!;
  await write(
    `${hash}.ts`,
    `${imports}\n${given}${codeOf(block, exceptions as Exception[])}\n${after}\nexport {};\n`,
  );
  return import(pathToFileURL(join(folder, `${hash}.ts`)).href);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), text);
}
