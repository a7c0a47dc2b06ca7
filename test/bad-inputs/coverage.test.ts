// Which bad inputs have a case: asked of the test runner, so that a number in a comment counts for nothing.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it } from 'vitest';

/** A case as the runner lists it: the titles of its suites and its own. */
type Titles = readonly string[];

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = 'test/bad-inputs';
const own = 'coverage of the bad inputs';

async function listCases(): Promise<Titles[]> {
  // Lists what a run without servers would skip, too.
  const runner = ['node_modules/vitest/vitest.mjs', 'list', folder];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...runner, '--json', '--no-static-parse'],
    { cwd: root, maxBuffer: 2 ** 26 },
  );
  const cases = JSON.parse(stdout.slice(stdout.indexOf('['))) as { name: string; file: string }[];
  return cases
    .filter(({ file }) => file.includes(folder))
    .map(({ name }) => name.split(' > '))
    .filter(([suite]) => suite !== own);
}

/** The number that a case begins with. */
function numberOf(titles: Titles): number {
  return Number(/^(\d+) \S/.exec(titles.at(-1)!)?.[1]);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function numbersOf(cases: readonly Titles[]): number[] {
  return [...new Set(cases.map(numberOf))].toSorted((a, b) => a - b);
}

describe('coverage of the bad inputs', () => {
  let cases: Titles[];
  beforeAll(async () => {
    cases = await listCases();
  }, 120_000);

  const kinds = ['memory', 'embedded PostgreSQL', 'Redis'];

  it('is 1 to 40 and 47 to 72, and every case says which it is', () => {
    expect(numbersOf(cases)).toEqual([...range(1, 40), ...range(47, 72)]);
  });

  it.each(kinds)('is 1 to 40 at both ways in over %s', (kind) => {
    for (const door of ['publishing', 'arriving']) {
      const there = cases.filter((titles) => titles[0] === `over ${kind}` && titles[1] === door);
      expect([door, numbersOf(there)]).toEqual([door, range(1, 40)]);
    }
  });

  it.each(kinds)('is 65 to 72 for handlers over %s', (kind) => {
    const there = cases.filter(([suite]) => suite === `handlers over ${kind}`);
    expect(numbersOf(there)).toEqual(range(65, 72));
  });

  it('is 47 to 51 for names on Redis', () => {
    const there = cases.filter(([suite]) => suite === 'names on Redis');
    expect(numbersOf(there)).toEqual(range(47, 51));
  });
});
