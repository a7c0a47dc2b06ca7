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
  const runner = ['node_modules/vitest/vitest.mjs', 'list', folder, '--project=unit'];
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

  it('is 1 to 40, 47 to 50 and 52 to 72, and every case says which it is', () => {
    expect(numbersOf(cases)).toEqual([...range(1, 40), ...range(47, 50), ...range(52, 72)]);
  });

  it.each(['over memory', 'over embedded PostgreSQL'])('is 1 to 40 at both ways in %s', (over) => {
    for (const door of ['publishing', 'arriving']) {
      const there = cases.filter((titles) => titles[0] === over && titles[1] === door);
      expect([door, numbersOf(there)]).toEqual([door, range(1, 40)]);
    }
  });

  it.each(['handlers over memory', 'handlers over embedded PostgreSQL'])(
    'is 65 to 72 for %s',
    (over) => {
      expect(numbersOf(cases.filter(([suite]) => suite === over))).toEqual(range(65, 72));
    },
  );
});
