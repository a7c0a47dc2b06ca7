import { writeFile } from 'node:fs/promises';
import type { Reject } from './read-csv.ts';

/** A reject and the file that it comes from. */
export type FileReject = Reject & { readonly file: string };

/** Writes the lines that were not used, as a CSV file with one row for each bad cell. */
export async function writeRejects(path: string, rejects: readonly FileReject[]): Promise<void> {
  const rows = rejects.map(({ file, line, field, reason }) => [file, String(line), field, reason]);
  const text = [['file', 'line', 'field', 'reason'], ...rows].map(toLine).join('');
  await writeFile(path, text);
}

function toLine(cells: readonly string[]): string {
  return `${cells.map(toCell).join(',')}\n`;
}

/** Reasons repeat what the input says, and a spreadsheet would run a cell that begins like a formula. */
function toCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
