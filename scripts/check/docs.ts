// Type-checks every TypeScript block in the documents and in the docstrings of the packages.

import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../bootstrap.mjs';
import { extractFromMarkdown, extractFromSource, type DocBlock } from './extract-blocks.ts';

const folder = join(root, '.cache', 'docs');
const exclude = ['**/node_modules/**', '**/dist/**', '**/*.test.ts', '**/*.test-d.ts'];

/** A block, the document that it stands in, and the module that it is compiled as. */
type NamedBlock = DocBlock & { readonly document: string; readonly module: string };

function findBlocks(): NamedBlock[] {
  const documents = globSync(['*.md', '{docs,packages,examples}/**/*.md'], { cwd: root, exclude });
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root, exclude });
  const read = (document: string) => readFileSync(join(root, document), 'utf8');
  const blocks = [
    ...documents.flatMap((document) =>
      extractFromMarkdown(read(document)).map((block) => ({ document, ...block })),
    ),
    ...sources.flatMap((document) =>
      extractFromSource(read(document)).map((block) => ({ document, ...block })),
    ),
  ];
  return blocks.map((block, index) => ({ ...block, module: moduleOf(block, index) }));
}

/** The files of one document lie in one folder, so that they find each other. */
function moduleOf({ document, file }: Omit<NamedBlock, 'module'>, index: number): string {
  return file === undefined
    ? `block-${index}.ts`
    : join(document.replaceAll(/[^\w-]+/g, '-'), file);
}

/** Turns `.cache/docs/block-3.ts(5,7): error …` into the document's own name and line. */
function relocate(output: string, blocks: readonly NamedBlock[]): string {
  return output.replaceAll(
    /\S*\.cache\/docs\/(\S+\.ts)\((\d+),(\d+)\)/g,
    (position, module, line, column) => {
      const block = blocks.find((each) => each.module === module);
      if (block === undefined) return position;
      return `${block.document}:${block.line + Number(line) - 1 - block.preambleLines}:${column}`;
    },
  );
}

const configuration = {
  extends: '../../tsconfig.check.json',
  compilerOptions: { rootDir: '../..' },
  include: ['**/*.ts'],
  exclude: [],
};

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const blocks = findBlocks();
await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
for (const { module, code } of blocks) {
  await mkdir(dirname(join(folder, module)), { recursive: true });
  await writeFile(join(folder, module), `${code}\nexport {};\n`);
}
console.log(`${blocks.length} blocks`);
if (blocks.length > 0) {
  try {
    await promisify(execFile)('tsc', ['-p', folder, '--pretty', 'false'], { cwd: root });
  } catch (error) {
    console.error(relocate((error as { stdout: string }).stdout, blocks));
    process.exitCode = 1;
  }
}
