const quotedText = /'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$/gs;
const comments = /--[^\n]*|\/\*.*?\*\//gs;
const name = String.raw`(?:"?\w+"?\.)?"?(\w+)"?`;

/** `FOR UPDATE` and `DO UPDATE` are parts of other statements. */
const dataChange = new RegExp(
  String.raw`\b(INSERT)\s+INTO\s+${name}|(?<!\b(?:FOR|KEY|DO|ON)\s+)\b(UPDATE)\s+(?:ONLY\s+)?${name}|\b(DELETE)\s+FROM\s+(?:ONLY\s+)?${name}|\b(MERGE)\s+INTO\s+${name}|\b(TRUNCATE)\s+(?:TABLE\s+)?(?:ONLY\s+)?${name}`,
  'gi',
);
const rowLock = /\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|(?:KEY\s+)?SHARE)\b/i;
const firstTable = new RegExp(String.raw`\bFROM\s+${name}`, 'i');
const schemaChange = new RegExp(
  String.raw`\b(CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+)?(\w+)\s+(?:CONCURRENTLY\s+)?(?:IF\s+(?:NOT\s+)?EXISTS\s+)?${name}`,
  'i',
);

/** What reads, or only sets up the session: nothing of it outlives the process. */
const harmless =
  /^(SELECT|SHOW|EXPLAIN|VALUES|TABLE|WITH|SET|RESET|LISTEN|UNLISTEN|BEGIN|START)\b/i;

/**
 * A readable name for what a statement writes, such as `INSERT outbox` or `CREATE TABLE outbox`.
 *
 * A `SELECT` that calls a function with side effects looks like a read; its `COMMIT` is a point all the
 * same.
 *
 * @returns `undefined` for plain reads and for settings of the session.
 */
export function sqlPointName(text: string): string | undefined {
  const bare = text.replace(comments, ' ').replace(quotedText, "''").trim();
  const schema = bare.match(schemaChange);
  if (schema && !harmless.test(bare)) {
    return `${schema[1]} ${schema[2]} ${schema[3]}`.replace(/^\w+ \w+/, (verb) =>
      verb.toUpperCase(),
    );
  }
  const changes = [...bare.matchAll(dataChange)].map((match) => {
    const [verb, table] = match.slice(1).filter((part) => part !== undefined);
    return `${verb!.toUpperCase()} ${table}`;
  });
  if (changes.length > 0) return [...new Set(changes)].join(', ');
  if (rowLock.test(bare)) return `LOCK ${bare.match(firstTable)?.[1] ?? 'rows'}`;
  if (bare === '' || harmless.test(bare)) return undefined;
  return bare.split(/\s+/, 2).join(' ').replace(/;$/, '');
}
