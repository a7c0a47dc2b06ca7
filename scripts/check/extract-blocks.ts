/** One TypeScript block of a document, ready to be compiled as a module of its own. */
export interface DocBlock {
  /** Line of the document on which the block's code starts, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** How many lines at the start of `code` come from the document's hidden preamble. */
  readonly preambleLines: number;
  /** Name of the file that the block is; the other blocks of its document import it by that. */
  readonly file?: string;
}

const preamblePattern = /^<!-- ts:before\n(.*?)^-->$/gms;
const blockPattern = /^(?:<!-- ts:file (\S+) -->\n+)?```ts\n(.*?)^```$/gms;

/**
 * Finds the blocks that a Markdown document marks with "```ts".
 *
 * What the blocks take for granted stands in an HTML comment that starts with "ts:before" and counts for
 * every block behind it, except for those that are files: they stand as they are.
 *
 * @throws {Error} If two blocks are one file.
 */
export function extractFromMarkdown(markdown: string): DocBlock[] {
  const preambles = [...markdown.matchAll(preamblePattern)];
  const blocks = [...markdown.matchAll(blockPattern)].map((match) => {
    const [whole, file, code = ''] = match;
    const line = lineAt(markdown, match.index + whole.indexOf('```ts')) + 1;
    if (file !== undefined) return { line, code, preambleLines: 0, file };
    const before = preambles
      .filter((each) => each.index < match.index)
      .map((each) => each[1] ?? '');
    const preamble = before.join('');
    return { line, code: preamble + code, preambleLines: preamble.split('\n').length - 1 };
  });
  assertFilesDiffer(blocks);
  return blocks;
}

/** Finds the blocks that docstrings in a TypeScript file mark with "```ts". */
export function extractFromSource(source: string): DocBlock[] {
  const docstrings = [...source.matchAll(/^[ \t]*\/\*\*.*?\*\//gms)];
  return docstrings.flatMap((docstring) => {
    const text = docstring[0].replaceAll(/^[ \t]*\* ?/gm, '');
    const offset = lineAt(source, docstring.index) - 1;
    return extractFromMarkdown(text).map((block) => ({ ...block, line: block.line + offset }));
  });
}

function assertFilesDiffer(blocks: readonly DocBlock[]): void {
  const files = blocks.flatMap(({ file }) => file ?? []);
  const twice = files.find((file, index) => files.indexOf(file) < index);
  if (twice !== undefined) throw new Error(`two blocks are the file ${twice}`);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
