import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readCsv } from './read-csv.ts';
import { writeRejects } from './write-rejects.ts';

it('writes rejects so that they can be read again, and no spreadsheet runs what a line has in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-rejects-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'rejects.csv');

  await writeRejects(path, [
    { file: 'a.csv', line: 3, field: 'Qty', reason: 'must be whole, got "1,5"' },
    { file: '=cmd()', line: 4, field: '@x', reason: 'is\nempty' },
  ]);

  const { header, rows } = readCsv(await readFile(path));
  expect(header).toEqual(['file', 'line', 'field', 'reason']);
  expect(rows.map(({ cells }) => cells)).toEqual([
    ['a.csv', '3', 'Qty', 'must be whole, got "1,5"'],
    ["'=cmd()", '4', "'@x", 'is\nempty'],
  ]);
});
