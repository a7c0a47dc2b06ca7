import type { Cell } from './cells.ts';
import type { Columns } from './columns.ts';
import type { CsvRow, Reject } from './read-csv.ts';

type ReadCell<T = unknown> = (cell: string | undefined) => Cell<T>;

/** How to read each field of a record. */
export type FieldReaders<Field extends string> = Readonly<Record<Field, ReadCell>>;

/** What a record holds once all its cells are read. */
export type FieldValues<Readers extends FieldReaders<string>> = {
  readonly [Field in keyof Readers]: Readers[Field] extends ReadCell<infer T> ? T : never;
};

/**
 * Reads every field of a record.
 *
 * @returns The values, or everything that is wrong with the line, one reject for each bad cell.
 */
export function readFields<Readers extends FieldReaders<string>>(
  row: CsvRow,
  columns: Columns<keyof Readers & string>,
  readers: Readers,
): { values: FieldValues<Readers> } | { rejects: Reject[] } {
  const fields = Object.keys(readers) as (keyof Readers & string)[];
  const cells = fields.map(
    (field) => [field, readers[field]!(columns.cellOf(row.cells, field))] as const,
  );
  const rejects = cells.flatMap(([field, cell]) =>
    'reason' in cell
      ? [{ line: row.line, field: columns.titleOf(field), reason: cell.reason }]
      : [],
  );
  if (rejects.length > 0) return { rejects };
  const values = cells.map(([field, cell]) => [field, (cell as { value: unknown }).value]);
  return { values: Object.fromEntries(values) as FieldValues<Readers> };
}

/** Lets a cell be empty, or its column be missing. */
export function optional<T>(read: ReadCell<T>): ReadCell<T | undefined> {
  return (cell) => (cell === undefined || cell === '' ? { value: undefined } : read(cell));
}
