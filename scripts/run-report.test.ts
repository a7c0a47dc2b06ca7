import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './bootstrap.mjs';

const fixture = `
import { beforeAll, describe, expect, it } from 'vitest';
it('passes', () => {});
it('fails', () => expect(1).toBe(2));
describe('a suite that cannot be set up', () => {
  beforeAll(() => { throw new Error('no set-up'); });
  it('has a test', () => {});
});
it('gives its reason', (context) => context.skip('the broker has no topics'));
it.skip('names it (skipped: keeps no history)', () => {});
it.skip('names it too (skipped: keeps no history)', () => {});
describe.skip('a whole suite', () => { it('one', () => {}); it('two', () => {}); });
`;

describe('the end of a test run', () => {
  let lines: string[];
  let folder: string;

  beforeAll(async () => {
    await mkdir(join(root, '.cache'), { recursive: true });
    folder = await mkdtemp(join(root, '.cache', 'run-report-'));
    await writeFile(join(folder, 'fixture.integration.test.ts'), fixture);
    await writeFile(join(folder, 'vitest.config.ts'), 'export default {}');
    lines = await runVitest(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('counts what passed, failed and was skipped in its last line', () => {
    expect(lines.at(-1)).toBe('1 passed, 2 failed, 6 skipped');
  });

  it('ends with what failed, each with its first error and where it arose', () => {
    const report = lines.slice(lines.lastIndexOf('Failed:') + 1, -2).map((line) => line.trim());
    const file = 'fixture.integration.test.ts';
    expect(report).toEqual([
      expect.stringMatching(`^${file} > fails: expected 1 to be 2 .*${file}:4\\)$`),
      expect.stringMatching(`^${file} > a suite that cannot .*: no set-up .*${file}:6\\)$`),
    ]);
  });

  it('lists a skipped test with its reason', () => {
    expect(lines.join('\n')).toContain('gives its reason: the broker has no topics');
  });

  it('takes the reason out of the names of tests that carry it there', () => {
    expect(lines.join('\n')).toContain('names it and 1 more: keeps no history');
  });

  it('lists a skipped suite once, with the server that is missing', () => {
    const suiteLines = lines.filter((line) => line.includes('a whole suite'));
    expect(suiteLines).toEqual([
      expect.stringContaining('a whole suite: PostgreSQL 99 is missing (no such thing)'),
    ]);
  });
});

async function runVitest(folder: string): Promise<string[]> {
  const missing = [{ name: 'PostgreSQL 99', variable: 'X', reason: 'no such thing' }];
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporter = `--reporter=${join(root, 'scripts', 'run-report.ts')}`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [vitest, 'run', '--root', folder, reporter],
    {
      env: { ...process.env, MISSING_SERVICES: JSON.stringify(missing) },
    },
  ).catch((failure: { stdout: string }) => failure); // it exits with 1: a test fails
  return stripVTControlCharacters(stdout).trimEnd().split('\n');
}
