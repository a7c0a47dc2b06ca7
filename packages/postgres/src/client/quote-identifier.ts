/** PostgreSQL keeps this many bytes of a name and cuts the rest off with a mere notice. */
const maxIdentifierBytes = 63;

/**
 * Quotes a name for SQL: the only way in which a schema, table, column or channel name enters a
 * statement.
 *
 * @throws {TypeError} if the name is empty, holds a NUL character, half a surrogate pair or two dollar
 *   signs, or is longer than 63 bytes.
 */
export function quoteIdentifier(name: string): string {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError('A name in the database must be a string that is not empty.');
  }
  if (name.includes('\0')) {
    throw new TypeError(`The name ${JSON.stringify(name)} holds a NUL character.`);
  }
  if (!name.isWellFormed()) {
    throw new TypeError(`The name ${JSON.stringify(name)} holds half a surrogate pair.`);
  }
  // `$$` and `$tag$` quote the bodies of functions, which hold names.
  if (name.indexOf('$') !== name.lastIndexOf('$')) {
    throw new TypeError(
      `The name ${JSON.stringify(name)} holds two dollar signs, which may end the body of a function.`,
    );
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > maxIdentifierBytes) {
    throw new TypeError(
      `The name ${JSON.stringify(name)} has ${bytes} bytes; PostgreSQL would cut it after ${maxIdentifierBytes}.`,
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}
