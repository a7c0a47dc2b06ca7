import { describe, expect, it } from 'vitest';
import { extractFromMarkdown, extractFromSource } from './extract-blocks.ts';

describe('blocks of a document', () => {
  it('are those marked as TypeScript, with the line their code starts on', () => {
    const markdown = ['# Title', '```sh', 'npm start', '```', '```ts', 'let a = 1;', '```', ''];

    expect(extractFromMarkdown(markdown.join('\n'))).toEqual([
      { line: 6, code: 'let a = 1;\n', preambleLines: 0 },
    ]);
  });

  it('know what the hidden preambles before them declare', () => {
    const markdown = [
      '```ts',
      'first;',
      '```',
      '<!-- ts:before',
      'declare const a: number;',
      '-->',
      '```ts',
      'a;',
      '```',
      '',
    ];

    expect(extractFromMarkdown(markdown.join('\n'))).toEqual([
      { line: 2, code: 'first;\n', preambleLines: 0 },
      { line: 8, code: 'declare const a: number;\na;\n', preambleLines: 1 },
    ]);
  });

  it('are files where the document names them, and take nothing for granted then', () => {
    const markdown = [
      '<!-- ts:before',
      'declare const a: number;',
      '-->',
      '<!-- ts:file first.ts -->',
      '',
      '```ts',
      'export const first = 1;',
      '```',
      '```ts',
      'a;',
      '```',
    ];

    expect(extractFromMarkdown(markdown.join('\n'))).toEqual([
      { line: 7, code: 'export const first = 1;\n', preambleLines: 0, file: 'first.ts' },
      { line: 10, code: 'declare const a: number;\na;\n', preambleLines: 1 },
    ]);
  });

  it('are not one file twice', () => {
    const block = '<!-- ts:file same.ts -->\n```ts\na;\n```\n';
    expect(() => extractFromMarkdown(block + block)).toThrow('two blocks are the file same.ts');
  });
});

describe('blocks of a docstring', () => {
  it('lose the stars and keep the line of the source file', () => {
    const source = [
      'const x = 1;',
      '  /**',
      '   * Does it.',
      '   * ```ts',
      '   * if (x) {',
      '   *   done();',
      '   * }',
      '   * ```',
      '   */',
      'export function doIt() {}',
    ];

    expect(extractFromSource(source.join('\n'))).toEqual([
      { line: 5, code: 'if (x) {\n  done();\n}\n', preambleLines: 0 },
    ]);
  });

  it('are not taken from plain comments or strings', () => {
    expect(extractFromSource('/* \n```ts\na;\n```\n*/')).toEqual([]);
  });
});
