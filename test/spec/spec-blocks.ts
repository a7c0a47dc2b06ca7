import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A fenced block of a specification. */
export interface SpecBlock {
  /** First ten hex digits of the SHA-256 of the code: a block that is edited is another block. */
  readonly hash: string;
  readonly language: string;
  /** Heading that it stands under. */
  readonly section: string;
  readonly code: string;
}

const headingOrBlock = /^(#{2,4} [^\n]*)$|^( *)```(\w*)\n(.*?)^ *```/gms;

/** All fenced blocks of a specification, in order. */
export function readSpecBlocks(name: string): SpecBlock[] {
  const text = readFileSync(new URL(`../../docs/spec/${name}.md`, import.meta.url), 'utf8');
  const blocks: SpecBlock[] = [];
  let section = '';
  for (const [, heading, , language, code] of text.matchAll(headingOrBlock)) {
    if (heading !== undefined) section = heading.replace(/^#+ /, '');
    else blocks.push({ hash: hashOf(code!), language: language!, section, code: code! });
  }
  return blocks;
}

/** The statements of an SQL block, without comments. */
export function sqlStatements(code: string): string[] {
  return code
    .replace(/--[^\n]*/g, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex').slice(0, 10);
}
