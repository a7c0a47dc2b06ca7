import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { root } from '../../scripts/bootstrap.mjs';
import { extractFromMarkdown } from '../../scripts/check/extract-blocks.ts';

/** One text in a file of a page, and what stands there instead. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Lays the files of a page out within the checkout, where names of packages lead to the sources.
 *
 * @param page Path in the checkout.
 * @param name Of the folder.
 * @returns The folder.
 */
export async function layOutFiles(page: string, name: string, change?: Change): Promise<string> {
  const folder = join(root, '.cache', 'page-files', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { file, code } of extractFromMarkdown(readFileSync(join(root, page), 'utf8'))) {
    if (file === undefined) continue;
    const text = file === change?.file ? changed(code, change) : code;
    await writeFile(join(folder, file), text);
  }
  return folder;
}

/** @throws {Error} If the text is not there, or more than once. */
function changed(code: string, { file, from, to }: Change): string {
  if (code.split(from).length === 2) return code.replace(from, () => to);
  throw new Error(`${file} does not hold exactly one: ${from}`);
}
