import type { SqlTransaction } from '@quickwms/events';

/** Columns and values of one row; objects go into `jsonb` columns. */
export type Row = Readonly<Record<string, string | number | boolean | object | null | undefined>>;

/** Inserts one row; a second one with the same key is an error. */
export async function insert(tx: SqlTransaction, table: string, row: Row): Promise<void> {
  await tx.query(...insertStatement(table, row));
}

/**
 * Inserts one row unless its key is there.
 *
 * @returns True if it was new.
 */
export async function insertIfNew(tx: SqlTransaction, table: string, row: Row): Promise<boolean> {
  const [text, values] = insertStatement(table, row);
  const { rowCount } = await tx.query(`${text} ON CONFLICT DO NOTHING`, values);
  return rowCount === 1;
}

function insertStatement(table: string, row: Row): [text: string, values: unknown[]] {
  const columns = Object.keys(row);
  const places = columns.map((_, index) => `$${index + 1}`);
  const text = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places.join(', ')})`;
  return [text, Object.values(row).map((value) => value ?? null)];
}
