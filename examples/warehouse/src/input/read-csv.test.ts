import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from './read-csv.ts';

const read = (text: string) => readCsv(Buffer.from(text));
const cellsOf = (text: string) => read(text).rows.map(({ cells }) => cells);

describe('readCsv', () => {
  it('takes what a spreadsheet writes: byte order mark, CRLF, quoted cells with commas and line breaks', () => {
    const file = read('\uFEFFlot,item\r\nL1,"a ""big"", red\r\none"\r\n\r\nL2,b\r\n');

    expect(file.header).toEqual(['lot', 'item']);
    expect(file.rows).toEqual([
      { line: 2, cells: ['L1', 'a "big", red\r\none'] },
      { line: 5, cells: ['L2', 'b'] },
    ]);
    expect(file.rejects).toEqual([]);
  });

  it.each([
    ['semicolons', 'lot;item\nL1;"1,5"\n'],
    ['tabs', 'lot\titem\nL1\t1,5\n'],
    ['lone carriage returns', 'lot,item\rL1,"1,5"\r'],
  ])('takes %s', (_, text) => {
    expect(cellsOf(text)).toEqual([['L1', '1,5']]);
  });

  it('skips lines of nothing but separators, as spreadsheets leave them at the end', () => {
    expect(read('a,b\n1,2\n,\n   \n,\n')).toMatchObject({ rows: [{ line: 2 }], rejects: [] });
  });

  it.each([
    ['a quote that is never closed', 'a,b\n1,2\n3,"4\n5,6\n7,8\n', 'never closed'],
    ['text after a closing quote', 'a,b\n1,2\n3,"4"x\n5,6\n7,8\n', 'end of the cell'],
    ['a quote within a cell', 'a,b\n1,2\n3,4" wide\n5,6\n7,8\n', 'must be doubled'],
    ['a quote that only a later line closes', 'a,b\n1,2\n3,"4\n5,"6"\n7,8\n', ''],
    ['a stray quote at the end of a line', 'a,b\n1,2\n"3,4\n5,6"\n7,8\n', 'out of place'],
  ])('gives up the line with %s, and no other that is sound', (_, text, reason) => {
    const { rows, rejects } = read(text);

    expect(rejects[0]).toMatchObject({ line: 3, field: '(line)' });
    expect(rejects[0]?.reason).toContain(reason);
    expect(rows[0]?.cells).toEqual(['1', '2']);
    expect(rows.at(-1)?.cells).toEqual(['7', '8']);
  });

  it('names a line that is too short or too long', () => {
    const { rows, rejects } = read('a,b\n1\n2,3\n4,5,6\n');

    expect(rows).toEqual([{ line: 3, cells: ['2', '3'] }]);
    expect(rejects).toEqual([
      { line: 2, field: '(line)', reason: 'has 1 cells, the header has 2' },
      { line: 4, field: '(line)', reason: 'has 3 cells, the header has 2' },
    ]);
  });

  it.each([
    ['little', Buffer.from('\uFEFFlot,item\n', 'utf16le')],
    ['big', Buffer.from('\uFEFFlot,item\n', 'utf16le').swap16()],
  ])('says what to do with UTF-16 (%s endian)', (_, bytes) => {
    expect(() => readCsv(bytes)).toThrow('save it as UTF-8');
  });

  it('is empty for an empty file', () => {
    expect(read('')).toEqual({ header: [], rows: [], rejects: [] });
    expect(read('\uFEFF\r\n\r\n')).toEqual({ header: [], rows: [], rejects: [] });
  });

  it('gives back every table that was written by the rules, and the line where each record begins', () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', ' b', '"', ',', ';', '\n', '\r\n', 'ü', '1'),
    });
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1 });
    const ending = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(table, ending, fc.boolean(), (rows, lineEnd, withMark) => {
        const quoted = rows.map((row) =>
          row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','),
        );
        const text = `${withMark ? '\uFEFF' : ''}${['x,y,z', ...quoted].join(lineEnd)}${lineEnd}`;
        const filled = rows.filter((row) => row.some((each) => each !== ''));

        const file = read(text);

        expect(file.rows.map(({ cells }) => cells)).toEqual(filled);
        expect(file.rejects).toEqual([]);
        let line = 2;
        const lines = rows.map((row) => {
          const start = line;
          line += 1 + row.join('').split('\n').length - 1;
          return { row, start };
        });
        const starts = lines.filter(({ row }) => filled.includes(row)).map(({ start }) => start);
        expect(file.rows.map((row) => row.line)).toEqual(starts);
      }),
    );
  });

  it('never fails and never loses a line, whatever it is fed with', () => {
    const soup = fc.string({
      unit: fc.constantFrom('a', 'b', '"', ',', '\n', '\r\n', '\r', ' ', '""'),
    });
    fc.assert(
      fc.property(soup, (text) => {
        const { rows, rejects } = read(`h,i\n${text}\n`);
        const said = [...rows, ...rejects].map(({ line }) => line);
        expect(new Set(said).size).toBe(said.length);
      }),
    );
  });
});
