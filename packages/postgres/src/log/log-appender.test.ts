import { EventError } from '@waybill/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { message } from '../../test/log-bench.ts';
import { openPglite } from '../client/pglite-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import { LogAppender } from './log-appender.ts';
import { logTables } from './log-tables.ts';

const away = new EventError('STORE_UNAVAILABLE', 'the connection was lost', {});
const changed = new EventError('DESTINATION_CHANGED', 'another log', {
  destination: 'log',
  expected: 'a',
  found: 'b',
});

describe('messages that go one by one, since the log refused one of them', () => {
  let client: SqlClient;

  beforeAll(async () => {
    client = await openPglite({ memory: true });
    await migrate(client);
  }, 60_000);
  afterAll(() => client.close());

  /** An appender whose third statement and all later ones fail. */
  function failingAfterTwo(error: EventError): LogAppender {
    let statements = 0;
    const failing = new Proxy(client, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (name !== 'query') return typeof value === 'function' ? value.bind(target) : value;
        const query: SqlClient['query'] = async (...args) => {
          statements += 1;
          if (statements > 2) throw error;
          return await target.query(...args);
        };
        return query;
      },
    });
    const tables = logTables('public');
    return new LogAppender({
      client: failing,
      tables,
      destination: 'log',
      onAppended: () => undefined,
    });
  }

  it('are told what was taken when the connection is lost in between', async () => {
    const appender = failingAfterTwo(away);
    const messages = ['a', 'b', 'b', 'c', 'bad\0'].map((key) => message(key));
    const outcomes = await appender.append(messages);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'accepted',
      'unknown',
      'refused',
      'refused',
      'refused',
    ]);
    for (const outcome of outcomes.slice(1)) {
      expect(outcome).toMatchObject({ error: { code: 'TRANSPORT_UNAVAILABLE', retryable: true } });
    }
  });

  it('are all to be sent again when another log has begun in between', async () => {
    const messages = ['a', 'b', 'bad\0'].map((key) => message(key));
    await expect(failingAfterTwo(changed).append(messages)).rejects.toBe(changed);
  });
});

describe('a log that takes no messages at all', () => {
  let client: SqlClient;

  beforeAll(async () => {
    client = await openPglite({ memory: true });
    await migrate(client);
  }, 60_000);
  afterAll(() => client.close());

  it('refuses none of them by itself, but the call', async () => {
    const tables = logTables('public');
    const destination = 'log';
    const appender = new LogAppender({ client, tables, destination, onAppended: () => undefined });
    await client.query('ALTER TABLE event_log RENAME TO elsewhere');
    await expect(appender.append([message('a'), message('b')])).rejects.toMatchObject({
      code: 'TRANSPORT_UNAVAILABLE',
      retryable: false,
      message: expect.stringContaining('the log takes no messages'),
    });
    await client.query('ALTER TABLE elsewhere RENAME TO event_log');
    expect(await appender.append([message('a')])).toMatchObject([{ status: 'accepted' }]);
  });
});
