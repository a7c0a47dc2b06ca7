const quotedText = /'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$/gs;
const comments = /--[^\n]*|\/\*.*?\*\//gs;
const name = String.raw`(?:"?\w+"?\.)?"?(\w+)"?`;

/** `FOR UPDATE`, `DO UPDATE` and `ON UPDATE` are parts of other statements. */
const dataChange = new RegExp(
  [
    String.raw`\b(INSERT)\s+INTO\s+${name}`,
    String.raw`(?<!\b(?:FOR|KEY|DO|ON)\s+)\b(UPDATE)\s+(?:ONLY\s+)?${name}`,
    String.raw`\b(DELETE)\s+FROM\s+(?:ONLY\s+)?${name}`,
    String.raw`\b(MERGE)\s+INTO\s+${name}`,
    String.raw`\b(TRUNCATE)\s+(?:TABLE\s+)?(?:ONLY\s+)?${name}`,
  ].join('|'),
  'gi',
);
const rowLock = /\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|(?:KEY\s+)?SHARE)\b/i;
const firstTable = new RegExp(String.raw`\bFROM\s+${name}`, 'i');
const schemaChange = new RegExp(
  [
    String.raw`^(CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+)?(\w+)\s+`,
    String.raw`(?:CONCURRENTLY\s+)?(?:IF\s+(?:NOT\s+)?EXISTS\s+)?${name}`,
  ].join(''),
  'i',
);

/** What reads, or only sets up the session: nothing of it outlives the process. */
const harmless =
  /^(SELECT|SHOW|EXPLAIN|VALUES|TABLE|WITH|SET|RESET|LISTEN|UNLISTEN|BEGIN|START)\b/i;

/** A script of many statements is named after its first ones. */
const maxParts = 4;

/**
 * A readable name for what a statement writes, such as `INSERT outbox` or `CREATE TABLE outbox`; of a
 * script, for what each of its statements writes.
 *
 * A `SELECT` that calls a function with side effects looks like a read; its `COMMIT` is a point all the
 * same.
 *
 * @returns `undefined` for plain reads and for settings of the session.
 */
export function sqlPointName(text: string): string | undefined {
  const bare = text.replace(comments, ' ').replace(quotedText, "''");
  const statements = bare.split(';').map((statement) => statement.trim());
  const parts = [...new Set(statements.flatMap(writesOf))];
  if (parts.length === 0) return undefined;
  const more = parts.length > maxParts ? ` and ${parts.length - maxParts} more` : '';
  return parts.slice(0, maxParts).join(', ') + more;
}

/** @param bare One statement without comments and quoted text. */
function writesOf(bare: string): string[] {
  const schema = bare.match(schemaChange);
  if (schema) {
    const [, verb, kind, table] = schema;
    return [`${verb!.toUpperCase()} ${kind!.toUpperCase()} ${table}`];
  }
  const changes = [...bare.matchAll(dataChange)].map((match) => {
    const [verb, table] = match.slice(1).filter((part) => part !== undefined);
    return `${verb!.toUpperCase()} ${table}`;
  });
  if (changes.length > 0) return changes;
  if (rowLock.test(bare)) return [`LOCK ${bare.match(firstTable)?.[1] ?? 'rows'}`];
  if (bare === '' || harmless.test(bare)) return [];
  return [bare.split(/\s+/, 2).join(' ')];
}
