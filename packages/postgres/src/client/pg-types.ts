/** The part of `pg.types` that result parsing needs. */
export interface PgTypes {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown;
}

const byteaOid = 17;
const int8Oid = 20;

const ours: ReadonlyMap<number, (value: string) => unknown> = new Map<
  number,
  (value: string) => unknown
>([
  [int8Oid, (value) => BigInt(value)],
  [byteaOid, (value) => new Uint8Array(Buffer.from(value.slice(2), 'hex'))],
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
