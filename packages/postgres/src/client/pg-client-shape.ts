import type { PgPoolClient } from './pg-driver.ts';

export type PgClientShape = Pick<PgPoolClient, 'query'> & {
  /** `I` outside a transaction, `T` in one, `E` in a failed one; `pg` has it since 8.17. */
  getTransactionStatus?(): string | null;
};

const methods = ['query', 'on', 'end', 'setTypeParser', 'getTypeParser'];

/**
 * Says whether something is a client of any copy of `pg`, a subclass of one, or a proxy in front of one.
 *
 * A name or an `instanceof` would know one copy alone. All that a client has is asked for: its methods, the
 * parameters of its connection, and the connection itself, in JavaScript or native. What is built on top of a
 * client, such as a pool or the query runner of an ORM, has other things besides `query`.
 */
export function isPgClient(tx: object): tx is PgClientShape {
  return (
    methods.every((name) => typeof Reflect.get(tx, name) === 'function') &&
    isObject(Reflect.get(tx, 'connectionParameters')) &&
    (isObject(Reflect.get(tx, 'connection')) || isObject(Reflect.get(tx, 'native'))) &&
    !('totalCount' in tx)
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
