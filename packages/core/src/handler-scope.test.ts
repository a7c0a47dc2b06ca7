import { AsyncLocalStorage } from 'node:async_hooks';

import { describe, expect, it } from 'vitest';

import { envelope } from '../test/envelope.ts';
import { turn } from '../test/until.ts';
import { MemoryDatabase } from './memory/memory-database.ts';
import type { TransactionRunner } from './transaction.ts';
import {
  chosenTransaction,
  currentScope,
  runInScope,
  runOutsideScope,
  type HandlerScope,
} from './handler-scope.ts';

function scopeWith(tx: object | undefined): HandlerScope {
  return { event: envelope(), tx, afterCommit: () => {} };
}

describe('the scope of a handler', () => {
  it('reaches every call made in it, however deep, and no other', async () => {
    const one = scopeWith({});
    const two = scopeWith({});
    const deep = async (): Promise<unknown> => {
      await turn();
      return currentScope();
    };
    await expect(
      Promise.all([runInScope(one, deep), runInScope(two, deep), deep()]),
    ).resolves.toEqual([one, two, undefined]);
  });

  it('lends its transaction unless the call chooses another, or none', () => {
    const own = {};
    const other = {};
    const runner = new MemoryDatabase();
    for (const scope of [scopeWith(own), { ...scopeWith(own), runner }]) {
      runInScope(scope, () => {
        expect(chosenTransaction(undefined, runner)).toBe(own);
        expect(chosenTransaction({}, runner)).toBe(own);
        expect(chosenTransaction({ tx: other }, runner)).toBe(other);
        expect(chosenTransaction({ tx: null }, runner)).toBeUndefined();
      });
    }
    expect(chosenTransaction(undefined, runner)).toBeUndefined();
  });

  it('lends its transaction to no call that writes to another database, and asks once', async () => {
    let asked = 0;
    const on = (name: string): TransactionRunner => ({
      run: () => Promise.reject(new Error('not needed')),
      identity: async () => `${name}${(asked += 1) > 0 ? '' : '?'}`,
    });
    const [here, alsoHere, there] = [on('here'), on('here'), on('there')];
    const tx = {};
    await runInScope({ ...scopeWith(tx), runner: here }, async () => {
      expect(await chosenTransaction(undefined, alsoHere)).toBe(tx);
      expect(await chosenTransaction(undefined, there)).toBeUndefined();
      asked = 0;
      expect(await chosenTransaction(undefined, alsoHere)).toBe(tx);
      expect(await chosenTransaction(undefined, there)).toBeUndefined();
      expect(chosenTransaction({ tx }, there)).toBe(tx);
      expect(asked).toBe(0);
    });
  });

  it('is left by what outlives it, together with the context of everybody else', async () => {
    const requests = new AsyncLocalStorage<string>();
    const seen = await requests.run('request 1', () =>
      runInScope(scopeWith({}), () =>
        runOutsideScope(async () => {
          await turn();
          return [currentScope(), requests.getStore()];
        }),
      ),
    );
    expect(seen).toEqual([undefined, undefined]);
  });
});
