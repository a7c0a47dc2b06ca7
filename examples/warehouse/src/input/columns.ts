import { InputError } from './input-error.ts';

/** The names under which a column is found, the best one first. */
export type ColumnNames<Field extends string> = Readonly<Record<Field, readonly string[]>>;

/** Where a file has which field. */
export interface Columns<Field extends string> {
  /** The cell of a record; `undefined` where the file has no such column. */
  cellOf(cells: readonly string[], field: Field): string | undefined;
  /** What the file itself calls the field. */
  titleOf(field: Field): string;
}

/**
 * Finds the columns of a file by their names, whatever their order, case and punctuation.
 *
 * @param optional Fields that a file may do without.
 * @throws {InputError} If a column is missing; names what was looked for and what is there.
 */
export function findColumns<Field extends string>(
  header: readonly string[],
  names: ColumnNames<Field>,
  optional: readonly NoInfer<Field>[],
): Columns<Field> {
  const simpleHeader = header.map(simplify);
  const fields = Object.keys(names) as Field[];
  const indexOf = new Map(fields.map((field) => [field, findIndex(simpleHeader, names[field])]));
  const missing = fields.filter((field) => indexOf.get(field) === -1 && !optional.includes(field));
  if (missing.length > 0) throw missingColumns(missing, names, header);
  const indexFor = (field: Field) => indexOf.get(field) ?? -1;
  return {
    cellOf: (cells, field) => cells[indexFor(field)],
    titleOf: (field) => header[indexFor(field)] ?? names[field][0] ?? field,
  };
}

function findIndex(header: readonly string[], names: readonly string[]): number {
  for (const name of names) {
    const index = header.indexOf(simplify(name));
    if (index !== -1) return index;
  }
  return -1;
}

/** "Lot #" and "lot_number" are what people write for the same thing. */
function simplify(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('#', 'number')
    .replaceAll(/[^a-z0-9]/g, '');
}

function missingColumns<Field extends string>(
  missing: readonly Field[],
  names: ColumnNames<Field>,
  header: readonly string[],
): InputError {
  const wanted = missing.map(
    (field) => `${names[field][0]} (or: ${names[field].slice(1).join(', ')})`,
  );
  const found = header.length > 0 ? header.join(', ') : 'nothing, the file is empty';
  return new InputError(`no column for ${wanted.join('; ')}. Its header has: ${found}`);
}
