/** The part of `pg.types` that result parsing needs. */
export interface PgTypes {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown;
}

/** Type of `bytea` columns. */
export const byteaOid = 17;
/** Type of `bigint` columns. */
export const int8Oid = 20;

const ours: ReadonlyMap<number, (value: string) => unknown> = new Map<
  number,
  (value: string) => unknown
>([
  [int8Oid, (value) => BigInt(value)],
  [byteaOid, bytesOf],
]);

/**
 * The driver's parsers, except that `bigint` becomes a BigInt and `bytea` a Uint8Array.
 *
 * Passed with every statement, so the parsers of the application's own queries stay as they are.
 */
export function withOurParsers(types: PgTypes): PgTypes {
  return {
    getTypeParser(oid, format) {
      const parser = format === 'binary' ? undefined : ours.get(oid);
      return parser ?? types.getTypeParser(oid, format);
    },
  };
}

/**
 * The bytes of a `bytea` as the server has written it, in either format: whoever lends a connection may have
 * set `bytea_output` to `escape`.
 *
 * @see https://www.postgresql.org/docs/current/datatype-binary.html
 */
export function bytesOf(value: string): Uint8Array {
  if (value.startsWith(String.raw`\x`)) return new Uint8Array(Buffer.from(value.slice(2), 'hex'));
  const text = value.replace(/\\(\\|[0-7]{3})/g, (_, escaped: string) =>
    escaped === '\\' ? escaped : String.fromCharCode(Number.parseInt(escaped, 8)),
  );
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
