import { describe, expect, it } from 'vitest';

import { sqlPointName } from './sql-point-name.ts';

describe('the name of a write', () => {
  it.for([
    ['INSERT INTO outbox (id) VALUES ($1)', 'INSERT outbox'],
    ['insert into "shop"."outbox" (id) values ($1)', 'INSERT outbox'],
    ['UPDATE shop.event_dlq SET status = $1', 'UPDATE event_dlq'],
    ['DELETE FROM ONLY outbox WHERE id = ANY($1)', 'DELETE outbox'],
    ['TRUNCATE TABLE outbox', 'TRUNCATE outbox'],
    ['MERGE INTO stock USING arrivals ON true', 'MERGE stock'],
    ['INSERT INTO a (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET n = 2', 'INSERT a'],
    ['-- a note on UPDATE b\nINSERT INTO a VALUES (1)', 'INSERT a'],
    ["INSERT INTO a VALUES ('DELETE FROM b; it''s text')", 'INSERT a'],
    [
      'WITH old AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM old',
      'DELETE a, INSERT b',
    ],
    ['INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)', 'INSERT a'],
    ['SELECT 1; CREATE TABLE a (id int); INSERT INTO a VALUES (1)', 'CREATE TABLE a, INSERT a'],
    [
      ['a', 'b', 'c', 'd', 'e', 'f'].map((table) => `DELETE FROM ${table}`).join('; '),
      'DELETE a, DELETE b, DELETE c, DELETE d and 2 more',
    ],
    ['SELECT id FROM outbox WHERE p = $1 FOR UPDATE SKIP LOCKED', 'LOCK outbox'],
    ['SELECT id FROM outbox FOR NO KEY UPDATE', 'LOCK outbox'],
    ['CREATE TABLE IF NOT EXISTS shop.outbox (id int)', 'CREATE TABLE outbox'],
    ['create unique index concurrently by_key on outbox (key)', 'CREATE INDEX by_key'],
    ['CREATE OR REPLACE FUNCTION f() AS $$ DELETE FROM a $$', 'CREATE FUNCTION f'],
    ['CREATE TRIGGER t BEFORE INSERT OR UPDATE ON a', 'CREATE TRIGGER t'],
    ['NOTIFY outbox', 'NOTIFY outbox'],
    ['COMMIT;', 'COMMIT'],
    ['SAVEPOINT one', 'SAVEPOINT one'],
  ] as const)('of %j is %j', ([text, name]) => {
    expect(sqlPointName(text)).toBe(name);
  });

  it.for([
    'SELECT * FROM outbox',
    '  select pg_try_advisory_xact_lock($1)',
    'WITH oldest AS (SELECT * FROM outbox) SELECT * FROM oldest',
    "SELECT 'DELETE FROM outbox'",
    'SELECT updated_at, "update" FROM outbox',
    'SHOW server_version',
    'SET LOCAL statement_timeout = 5',
    'BEGIN; SET LOCAL lock_timeout = 5',
    'LISTEN outbox',
    '',
  ])('is not given to %j, which writes nothing', (text) => {
    expect(sqlPointName(text)).toBeUndefined();
  });
});
