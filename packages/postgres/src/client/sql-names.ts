import { quoteIdentifier } from './quote-identifier.ts';

/** Where the engine's tables lie and what the one table with a name of choice is called. */
export interface EngineNames {
  readonly schema: string;
  readonly event_store: string;
}

/** The names that the specification prints. */
export const defaultNames: EngineNames = { schema: 'public', event_store: 'event_store' };

/** Schemas of the server's own. A search path takes `$user` for the schema that is named like the role. */
const systemSchema = /^(?:pg_|information_schema$|\$user$)/;

/**
 * The schema-qualified, quoted name of a table, view or function.
 *
 * @throws {TypeError} if a name cannot be quoted, or the schema is one of the server's own.
 */
export function qualified(schema: string, name: string): string {
  if (systemSchema.test(schema)) {
    throw new TypeError(
      `The schema ${JSON.stringify(schema)} belongs to the server; choose another one.`,
    );
  }
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

const placeholder = /:(["'])([a-z_]+)\1/g;

/**
 * Fills `:"schema"` and `:"event_store"` with quoted names, and `:'schema'` and `:'event_store'` with
 * string literals: the way `psql` fills its variables.
 *
 * @throws {TypeError} if the text has another placeholder.
 */
export function fillNames(sql: string, names: EngineNames): string {
  return sql.replace(placeholder, (_, quote: string, name: string) => {
    if (name !== 'schema' && name !== 'event_store') {
      throw new TypeError(`A migration may use "schema" and "event_store", not "${name}".`);
    }
    return quote === '"' ? quoteIdentifier(names[name]) : quoteLiteral(names[name]);
  });
}

/** A string literal that means the same whatever `standard_conforming_strings` says. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
