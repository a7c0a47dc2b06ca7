import { readFileSync } from 'node:fs';

/** A row of a table of codes in a package. */
export interface ServerCode {
  readonly code: string;
  readonly means: string;
  readonly advice: string;
  readonly kind: 'access' | 'passing' | 'lasting';
  readonly later?: string;
}

const firstStart = {
  access: 'ends it, by name',
  passing: 'is waited for',
  lasting: 'ends it, by name',
} as const;
const afterwards = {
  access: 'is waited out',
  passing: 'is waited out',
  lasting: 'ends what asked for it, by name',
} as const;

/** The rows that a table of codes has in `docs/reference/server-codes.md`. */
export function rowsFor(codes: readonly ServerCode[]): string[] {
  return codes.map(({ code, means, advice, kind, later = afterwards[kind] }) =>
    ['', `\`${code}\``, `${means}: ${advice}`, firstStart[kind], later, ''].join(' | ').trim(),
  );
}

/** The rows that it has under a heading. */
export function rowsUnder(heading: string): string[] {
  const page = new URL('../docs/reference/server-codes.md', import.meta.url);
  const section = readFileSync(page, 'utf8').split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => row.replaceAll(/ +/g, ' ').trim());
}
