import { EventError } from '@waybill/core';

const expected = 'context.tx, a pg client after BEGIN, or the transaction of PGlite';
const begin =
  "begin the transaction with database.run(), and run the tool's statements on what that gives";

/** What people pass instead of a transaction: known by properties that it alone has. */
const strangers: readonly {
  readonly what: string;
  readonly has: readonly string[];
  readonly advice: string;
}[] = [
  {
    what: 'a client of this library',
    has: ['dialect', 'run', 'listen'],
    advice: 'pass the tx that its run() gives',
  },
  {
    what: 'a pool of pg',
    has: ['totalCount', 'idleCount'],
    advice: 'it runs each statement on any connection; pass a client of its connect(), after BEGIN',
  },
  {
    what: 'a PGlite database',
    has: ['exec', 'transaction', 'close'],
    advice: 'pass the argument of its transaction()',
  },
  {
    what: 'a QueryRunner of TypeORM',
    has: ['isTransactionActive', 'startTransaction', 'manager'],
    advice: 'pass the pg client under it: await queryRunner.connect()',
  },
  {
    what: 'an EntityManager of TypeORM',
    has: ['getRepository', 'queryRunner'],
    advice: 'pass the pg client under it: await manager.queryRunner.connect()',
  },
  {
    what: 'a transaction of Knex',
    has: ['isTransaction', 'raw'],
    advice: 'pass the pg client under it: await trx.client.acquireConnection()',
  },
  {
    what: 'a database or transaction of Drizzle',
    has: ['dialect', 'session'],
    advice: 'over node-postgres, pass the pg client that drizzle() was given, after BEGIN',
  },
  { what: 'a client of Prisma', has: ['$queryRaw', '$executeRaw'], advice: begin },
  { what: 'a sql function of postgres.js', has: ['unsafe', 'savepoint'], advice: begin },
];

/** `TX_FOREIGN` with what was given, and what to give instead. */
export function foreignTransaction(tx: object): EventError<'TX_FOREIGN'> {
  const known = strangers.find(({ has }) => has.every((name) => name in tx));
  const got = known?.what ?? `an object that is none (${constructorOf(tx)})`;
  return new EventError(
    'TX_FOREIGN',
    `expected ${expected}, got ${got}; ${known?.advice ?? begin}`,
    { expected },
  );
}

function constructorOf(tx: object): string {
  const { constructor } = tx as { constructor?: unknown };
  return typeof constructor === 'function' && constructor.name ? constructor.name : 'no class';
}
