import { parse } from 'csv-parse/sync';
import { InputError } from './input-error.ts';

/** One record of a file. */
export interface CsvRow {
  /** Where the record begins, counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A line that is not used, and why. */
export interface Reject {
  readonly line: number;
  /** Name of the column; `(line)` when the line as a whole is wrong. */
  readonly field: string;
  readonly reason: string;
}

/** What a file holds. */
export interface CsvFile {
  readonly header: readonly string[];
  /** Records as wide as the header, in the order of the file. */
  readonly rows: readonly CsvRow[];
  /** Lines that are no such record. */
  readonly rejects: readonly Reject[];
}

const newline = 0x0a;
const carriageReturn = 0x0d;

const brokenQuotes: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'a closing quote must be followed by the end of the cell',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE:
    'a closing quote must be followed by the end of the cell',
  INVALID_OPENING_QUOTE: 'a quote within a cell must be doubled, and the cell quoted',
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
};

/**
 * Splits a CSV file into records: quoted cells, a byte order mark, CRLF, and commas, semicolons or tabs.
 *
 * A line with a broken quote costs that line alone: reading goes on with the next one, also where the
 * quote would swallow the rest of the file.
 *
 * @param bytes The file as it lies on the disk, UTF-8.
 * @throws {InputError} If it is UTF-16.
 */
export function readCsv(bytes: Buffer): CsvFile {
  if (bytes[0] === 0xff || bytes[0] === 0xfe) {
    throw new InputError('the file is UTF-16; save it as UTF-8');
  }
  const text = Buffer.from(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  const rows: CsvRow[] = [];
  const rejects: Reject[] = [];
  let at: Place = skipBlankLines(text, { offset: 0, line: 1 });
  while (at.offset < text.length) {
    const stop = readUntilBroken(text, at, rows);
    if (stop.reason === undefined) break;
    rejects.push({ line: stop.at.line, field: '(line)', reason: stop.reason });
    at = skipBlankLines(text, nextLine(text, stop.at));
  }
  const [header, ...others] = rows;
  const filled = others.filter(({ cells }) => cells.some((cell) => cell !== ''));
  return { header: header?.cells ?? [], ...split(filled, header?.cells.length ?? 0, rejects) };
}

function split(rows: readonly CsvRow[], width: number, broken: readonly Reject[]) {
  const fits = ({ cells }: CsvRow) => cells.length === width;
  const misfits = rows.filter((row) => !fits(row)).map((row) => wrongWidth(row, width));
  return {
    rows: rows.filter(fits),
    rejects: [...broken, ...misfits].sort((one, other) => one.line - other.line),
  };
}

function wrongWidth({ line, cells }: CsvRow, width: number): Reject {
  return { line, field: '(line)', reason: `has ${cells.length} cells, the header has ${width}` };
}

interface Place {
  readonly offset: number;
  readonly line: number;
}

/** Adds records to `rows` until one cannot be read. @returns Where it begins and why; no reason at the end. */
function readUntilBroken(
  text: Buffer,
  start: Place,
  rows: CsvRow[],
): { at: Place; reason?: string } {
  let at = start;
  const add = (cells: string[], { bytes }: { bytes: number }) => {
    const end = advance(text, at, start.offset + bytes);
    const width = rows[0]?.cells.length ?? cells.length;
    // Several lines and not the right width: most likely a stray quote, not a cell with a line break.
    if (cells.length !== width && end.line > at.line + 1)
      throw new Error('a quote is out of place');
    rows.push({ line: at.line, cells });
    at = skipBlankLines(text, end);
    return null;
  };
  const options = { delimiter: delimiterOf(text), trim: true, relax_column_count: true };
  try {
    parse(text.subarray(start.offset), { ...options, skip_empty_lines: true, on_record: add });
    return { at };
  } catch (error) {
    const { code = '', message } = error as Error & { code?: string };
    return { at, reason: brokenQuotes[code] ?? message };
  }
}

/** A header has names and no amounts, so the separator that it has most of is the file's. */
function delimiterOf(text: Buffer): string {
  const [header = ''] = text.toString('utf8', 0, 10_000).split(/[\r\n]/, 1);
  const partsBy = (delimiter: string) => header.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, next) => (partsBy(next) > partsBy(best) ? next : best));
}

function skipBlankLines(text: Buffer, from: Place): Place {
  let offset = from.offset;
  while (text[offset] === newline || text[offset] === carriageReturn) offset += 1;
  return advance(text, from, offset);
}

function nextLine(text: Buffer, from: Place): Place {
  let offset = from.offset;
  while (offset < text.length && text[offset] !== newline && text[offset] !== carriageReturn) {
    offset += 1;
  }
  if (text[offset] === carriageReturn && text[offset + 1] === newline) offset += 1;
  return advance(text, from, offset + 1);
}

/** Goes to an offset further on and counts the lines on the way; CRLF, LF and CR each end one. */
function advance(text: Buffer, from: Place, offset: number): Place {
  let line = from.line;
  for (let index = from.offset; index < offset; index += 1) {
    const isEnd =
      text[index] === newline || (text[index] === carriageReturn && text[index + 1] !== newline);
    if (isEnd) line += 1;
  }
  return { offset, line };
}
