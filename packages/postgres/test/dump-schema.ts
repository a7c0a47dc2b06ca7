import { quoteIdentifier } from '../src/client/quote-identifier.ts';
import type { SqlClient, SqlQueryable } from '../src/client/sql-client.ts';

interface Definition {
  readonly table: string;
  readonly definition: string;
}

const columns = `
  SELECT c.relname AS "table", format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
    CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' ELSE '' END,
    coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')) AS definition
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE c.relnamespace = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY c.relname, a.attname`;

/** From 18 on, NOT NULL is a constraint too; the column says it already. */
const constraints = `
  SELECT c.relname AS "table", format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)) AS definition
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE c.relnamespace = $1::oid AND k.contype <> 'n' ORDER BY c.relname, k.conname`;

const others = `
  SELECT pg_get_indexdef(i.indexrelid) || ';' AS definition FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  WHERE c.relnamespace = $1::oid
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
  UNION ALL
  SELECT pg_get_triggerdef(t.oid) || ';' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = $1::oid AND NOT t.tgisinternal
  UNION ALL
  SELECT format(E'CREATE VIEW %I AS\\n%s', c.relname, pg_get_viewdef(c.oid)) FROM pg_class c
  WHERE c.relnamespace = $1::oid AND c.relkind = 'v'
  UNION ALL
  SELECT pg_get_functiondef(p.oid) || ';' FROM pg_proc p WHERE p.pronamespace = $1::oid
  ORDER BY definition`;

/**
 * What a schema looks like, as text in a stable order: the columns of a table by name, since those that
 * were added later stand at its end.
 */
export async function dumpSchema(client: SqlClient, schema: string): Promise<string> {
  return await client.run(async (tx) => {
    await tx.query(`SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
    const { rows } = await tx.query<{ oid: string }>(
      'SELECT to_regnamespace($1)::oid::text AS oid',
      [quoteIdentifier(schema)],
    );
    const oid = rows[0]!.oid;
    const parts = await select<Definition>(tx, columns, oid);
    parts.push(...(await select<Definition>(tx, constraints, oid)));
    const rest = await select<{ definition: string }>(tx, others, oid);
    return [...tables(parts), ...rest.map(({ definition }) => definition.trim())]
      .join('\n\n')
      .concat('\n');
  });
}

async function select<Row extends object>(
  tx: SqlQueryable,
  text: string,
  oid: string,
): Promise<Row[]> {
  return (await tx.query<Row>(text, [oid])).rows;
}

function tables(parts: readonly Definition[]): string[] {
  const names = [...new Set(parts.map(({ table }) => table))].sort();
  return names.map((name) => {
    const lines = parts
      .filter(({ table }) => table === name)
      .map(({ definition }) => `    ${definition}`);
    return `CREATE TABLE ${quoteIdentifier(name)} (\n${lines.join(',\n')}\n);`;
  });
}
