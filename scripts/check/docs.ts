// Type-checks every TypeScript block in the documents and in the docstrings of the packages.

import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../bootstrap.mjs';
import { extractFromMarkdown, extractFromSource, type DocBlock } from './extract-blocks.ts';

const folder = join(root, '.cache', 'docs');
const exclude = ['**/node_modules/**', '**/dist/**', '**/*.test.ts', '**/*.test-d.ts'];

/** A block, and the name of the module it is compiled as. */
type NamedBlock = DocBlock & { readonly file: string; readonly module: string };

function findBlocks(): NamedBlock[] {
  const documents = globSync(['*.md', '{docs,packages,examples}/**/*.md'], { cwd: root, exclude });
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root, exclude });
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const blocks = [
    ...documents.flatMap((file) =>
      extractFromMarkdown(read(file)).map((block) => ({ file, ...block })),
    ),
    ...sources.flatMap((file) =>
      extractFromSource(read(file)).map((block) => ({ file, ...block })),
    ),
  ];
  return blocks.map((block, index) => ({ ...block, module: `block-${index}.ts` }));
}

/** Turns `block-3.ts(5,7): error …` into the document's own name and line. */
function relocate(output: string, blocks: readonly NamedBlock[]): string {
  return output.replaceAll(
    /\S*(block-\d+\.ts)\((\d+),(\d+)\)/g,
    (position, module, line, column) => {
      const block = blocks.find((each) => each.module === module);
      if (block === undefined) return position;
      return `${block.file}:${block.line + Number(line) - 1 - block.preambleLines}:${column}`;
    },
  );
}

const configuration = {
  extends: '../../tsconfig.check.json',
  compilerOptions: { rootDir: '../..' },
  include: ['*.ts'],
  exclude: [],
};

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const blocks = findBlocks();
await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
for (const { module, code } of blocks)
  await writeFile(join(folder, module), `${code}\nexport {};\n`);
console.log(`${blocks.length} blocks`);
if (blocks.length > 0) {
  try {
    await promisify(execFile)('tsc', ['-p', folder, '--pretty', 'false'], { cwd: root });
  } catch (error) {
    console.error(relocate((error as { stdout: string }).stdout, blocks));
    process.exitCode = 1;
  }
}
