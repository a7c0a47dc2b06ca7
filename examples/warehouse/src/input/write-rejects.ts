import { writeFile } from 'node:fs/promises';
import type { Reject } from './read-csv.ts';
import { toCsv } from './to-csv.ts';

/** A reject and the file that it comes from. */
export type FileReject = Reject & { readonly file: string };

/** Writes the lines that were not used, as a CSV file with one row for each bad cell. */
export async function writeRejects(path: string, rejects: readonly FileReject[]): Promise<void> {
  const rows = rejects.map(({ file, line, field, reason }) => [file, String(line), field, reason]);
  const header = ['file', 'line', 'field', 'reason'];
  await writeFile(path, toCsv([header, ...rows.map((row) => row.map(harmless))]));
}

/** Reasons repeat what the input says, and a spreadsheet would run a cell that begins like a formula. */
function harmless(cell: string): string {
  return /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}
