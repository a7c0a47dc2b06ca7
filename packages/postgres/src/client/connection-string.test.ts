import { describe, expect, it } from 'vitest';

import { assertConnectionString } from './connection-string.ts';

describe('connection strings', () => {
  it.each([
    'postgres://user:secret@host/db',
    'postgresql://user:s%40%2F%23%3Fcret@[::1]:5432/db?sslmode=require',
    'postgres://user:s@cret@host/db',
    'postgres://host/db?user=somebody@tenant',
    'postgres://user:secret@/db?host=/var/run/postgresql',
    '/var/run/postgresql db',
  ])('may be %s', (text) => {
    expect(() => assertConnectionString(text)).not.toThrow();
  });

  it.each(['s/cret', 's#cret', 's?cret', '1/cret', '1#cret', '1?cret'])(
    'need the password %s in another spelling, and the refusal does not show it',
    (password) => {
      const attempt = (): void => assertConnectionString(`postgres://user:${password}@host/db`);
      expect(attempt).toThrow(TypeError);
      expect(attempt).toThrow(/%2F/);
      expect(attempt).not.toThrow(/cret/);
    },
  );
});
