import { describe, expect, it } from 'vitest';

import { fillNames, qualified } from './sql-names.ts';

describe('fillNames', () => {
  const names = { schema: `o'"x\\`, event_store: 'facts' };

  it('fills names as identifiers and as strings, and leaves casts alone', () => {
    expect(fillNames(`:"schema".:"event_store" :'event_store' a::text`, names)).toBe(
      `"o'""x\\"."facts" 'facts' a::text`,
    );
  });

  it('doubles backslashes in a string that says so', () => {
    expect(fillNames(`:'schema'`, names)).toBe(` E'o''"x\\\\'`);
  });

  it('refuses a placeholder that it does not know', () => {
    expect(() => fillNames(':"table"', names)).toThrow(TypeError);
  });
});

describe('qualified', () => {
  it('quotes schema and name', () => {
    expect(qualified('Dock 1', 'event"s')).toBe('"Dock 1"."event""s"');
  });

  it.each(['pg_catalog', 'pg_temp', 'information_schema', '$user'])(
    'refuses %s, which belongs to the server',
    (schema) => {
      expect(() => qualified(schema, 'inbox')).toThrow(TypeError);
    },
  );
});
