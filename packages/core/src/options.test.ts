import { describe, expect, it } from 'vitest';

import { assertKnownOptions, assertTransactionChoice, type OptionNames } from './options.ts';

interface Asked {
  name?: string;
  limit?: number;
}

const known: OptionNames<Asked> = { name: true, limit: true };

describe('options', () => {
  it('are refused by name where they are not known, with what is', () => {
    expect(() => assertKnownOptions('a call', { limit: 1 } as Asked, known)).not.toThrow();
    expect(() => assertKnownOptions('a call', { limits: 1 } as Asked, known)).toThrow(
      'a call: unknown option limits; known are name, limit',
    );
  });

  it('do not take what every object has for an option', () => {
    const asked = JSON.parse('{ "constructor": 1, "__proto__": 2 }') as Asked;
    expect(() => assertKnownOptions('a call', asked, known)).toThrow(
      'unknown option constructor, __proto__',
    );
  });

  it('beside a transaction are known, and the transaction itself is none', () => {
    const route = { route: true } as const;
    expect(() => assertTransactionChoice('a call', { tx: {}, route: 1 }, route)).not.toThrow();
    expect(() => assertTransactionChoice('a call', { rout: 1 } as object, {})).toThrow(
      'unknown option rout',
    );
    expect(() => assertTransactionChoice('a call', { query: 1 } as object, {})).toThrow(
      'give the transaction as { tx }',
    );
  });
});
