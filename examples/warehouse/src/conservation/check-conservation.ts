import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SqlClient } from '@quickwms/events';

/** Anything that runs a statement: a database, or a transaction that is rolled back afterwards. */
export type Queryable = Pick<SqlClient, 'query'>;

const folder = import.meta.dirname;
const read = (file: string) => readFileSync(join(folder, file), 'utf8');

/** Where each unit has ended, as a subquery: `item_id`, `state`. */
export const unitState: string = `(${read('unit-state.sql')})`;

/**
 * Proves from the stored rows and events alone that nothing was lost, doubled or made up.
 *
 * Every row of a service's table must be told by events, and every event by a row: the files in
 * `agreement/` list what each table says (n = 1) and what the events say about it (n = -1), and all of
 * it must cancel out. The other files look at the whole: one final state for each unit, money in equals
 * money booked, no effect twice.
 *
 * @returns What is wrong, one sentence each; empty when everything adds up.
 */
export async function checkConservation(database: Queryable): Promise<string[]> {
  const statements = [
    disagreements(),
    `WITH unit_state AS ${unitState} \n${read('one-state-each.sql')}`,
    read('money.sql'),
    read('effects-once.sql'),
  ];
  const problems: string[] = [];
  for (const statement of statements) {
    const { rows } = await database.query<{ problem: string }>(statement);
    problems.push(...rows.map(({ problem }) => problem));
  }
  return problems;
}

/** Tables whose rows are held against the events, one file each. */
export function checkedTables(): string[] {
  const files = readdirSync(join(folder, 'agreement')).filter((file) => file.endsWith('.sql'));
  return files.map((file) => file.slice(0, -'.sql'.length)).sort();
}

function disagreements(): string {
  const entries = checkedTables().map((table) => `(${read(`agreement/${table}.sql`)})`);
  return `
    WITH entry AS (${entries.join(' UNION ALL ')})
    SELECT table_name || CASE WHEN sum(n) > 0 THEN ' has ' || sum(n) || ' too many'
                              ELSE ' lacks ' || -sum(n) END
           || ': ' || concat_ws(', ', fact, nullif(id, ''), nullif(detail, '')) AS problem
    FROM entry
    GROUP BY table_name, fact, id, detail
    HAVING sum(n) <> 0
    UNION ALL
    SELECT 'event_store has ' || count(*) || ' events that no table answers for: ' || event_type
    FROM event_store
    WHERE event_type NOT IN (SELECT fact FROM entry WHERE id <> '') -- a mere count answers for nothing
    GROUP BY event_type
    ORDER BY problem`;
}
