import { mkdir, rm, writeFile } from 'node:fs/promises';
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

/** Lays out the files of the specification's service, with a bus that is really there. */
export async function layOutService(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await write(
    'service/src/events/bus.ts',
    'export const eventBus = globalThis.specNames.eventBus;\n',
  );
  for (const [hash, { path, declared = '' }] of Object.entries(surroundings)) {
    if (!path || path.endsWith('/bus.ts')) continue;
    const imports = declared.match(/^import .*$/gm)?.join('\n') ?? '';
    await write(
      `service/${path}`,
      `${imports}\n${codeOf(blocks.get(hash)!, exceptions as Exception[])}`,
    );
  }
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
