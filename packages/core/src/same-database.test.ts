import { describe, expect, it } from 'vitest';

import { MemoryDatabase } from './memory/memory-database.ts';
import { sameDatabase } from './same-database.ts';
import type { TransactionRunner } from './transaction.ts';

/** A runner that answers one after the other when it is asked which database it is on. */
function runner(...identities: string[]): TransactionRunner {
  const run: TransactionRunner['run'] = () => Promise.reject(new Error('not asked for'));
  return identities.length === 0 ? { run } : { run, identity: async () => identities.shift()! };
}

describe('two transaction runners', () => {
  it('are on the same database if they are one, or have the same identity', async () => {
    const silent = runner();
    expect(await sameDatabase(silent, silent)).toBe('same');
    expect(await sameDatabase(runner('stock'), runner('stock'))).toBe('same');
  });

  it('are on different databases if their identities differ', async () => {
    expect(await sameDatabase(new MemoryDatabase(), new MemoryDatabase())).toBe('different');
    expect(await sameDatabase(runner('a', 'a'), runner('b', 'b'))).toBe('different');
  });

  it('are asked again, since a server may have restarted between the answers', async () => {
    expect(await sameDatabase(runner('before', 'after'), runner('after', 'after'))).toBe('same');
  });

  it('are on nobody knows which if one of them cannot say', async () => {
    expect(await sameDatabase(runner('a'), runner())).toBe('unknown');
    expect(await sameDatabase(runner(), runner('a'))).toBe('unknown');
  });
});
