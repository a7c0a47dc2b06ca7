import pg from 'pg';
import { describe, expect, it } from 'vitest';

import { joinable } from './joinable.ts';

const call = (): void => {};

/** What people hold in their hands when they are in a transaction of something else. */
const strangers: { name: string; tx: object; says: RegExp }[] = [
  {
    name: 'a QueryRunner of TypeORM',
    tx: {
      query: call,
      connect: call,
      startTransaction: call,
      commitTransaction: call,
      rollbackTransaction: call,
      release: call,
      manager: {},
      connection: {},
      driver: {},
      broadcaster: {},
      data: {},
      isReleased: false,
      isTransactionActive: true,
    },
    says: /QueryRunner of TypeORM; .*await queryRunner\.connect\(\)/,
  },
  {
    name: 'an EntityManager of TypeORM',
    tx: { query: call, getRepository: call, connection: {}, queryRunner: {}, save: call },
    says: /EntityManager of TypeORM/,
  },
  {
    name: 'a transaction of Knex, which is a function',
    tx: Object.assign(() => {}, { isTransaction: true, raw: call, commit: call, client: {} }),
    says: /transaction of Knex; .*acquireConnection/,
  },
  {
    name: 'a transaction of Drizzle',
    tx: { dialect: {}, session: {}, execute: call, query: {}, rollback: call, nestedIndex: 0 },
    says: /transaction of Drizzle/,
  },
  {
    name: 'a transaction of Prisma',
    tx: { $queryRaw: call, $executeRaw: call, $queryRawUnsafe: call },
    says: /client of Prisma; .*database\.run/,
  },
  {
    name: 'a transaction of postgres.js, which is a function',
    tx: Object.assign(() => {}, { unsafe: call, savepoint: call, array: call, json: call }),
    says: /sql function of postgres\.js; .*database\.run/,
  },
  { name: 'a pool', tx: new pg.Pool(), says: /pool of pg; .*after BEGIN/ },
  {
    name: 'a client of this library',
    tx: { dialect: 'postgres', query: call, run: call, listen: call },
    says: /client of this library; .*its run\(\)/,
  },
  {
    name: 'a task that has only a query',
    tx: { query: call, none: call, one: call, finished: false },
    says: /an object that is none \(Object\)/,
  },
  { name: 'an object of no class', tx: Object.create(null) as object, says: /\(no class\)/ },
];

describe('joining a transaction', () => {
  it.each(strangers)('refuses $name by name, and says what to pass', ({ tx, says }) => {
    expect(() => joinable(tx)).toThrow(
      /^TX_FOREIGN: expected context\.tx, a pg client after BEGIN/,
    );
    expect(() => joinable(tx)).toThrow(says);
  });

  it.each([
    ['a client of pg', new pg.Client()],
    ['a subclass of one', new (class Traced extends pg.Client {})()],
    ['a proxy in front of one', new Proxy(new pg.Client(), {})],
  ])('knows %s, which is in no transaction yet', (_, client) => {
    client.getTransactionStatus = () => 'I';
    expect(() => joinable(client)).toThrow(/^TX_FINISHED.*in no transaction/);
    client.getTransactionStatus = () => 'T';
    expect(joinable(client).query).toBeTypeOf('function');
  });
});
