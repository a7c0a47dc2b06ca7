import { AsyncLocalStorage } from 'node:async_hooks';

import { describe, expect, it } from 'vitest';

import { envelope } from '../test/envelope.ts';
import { turn } from '../test/until.ts';
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
    runInScope(scopeWith(own), () => {
      expect(chosenTransaction(undefined)).toBe(own);
      expect(chosenTransaction({})).toBe(own);
      expect(chosenTransaction({ tx: other })).toBe(other);
      expect(chosenTransaction({ tx: null })).toBeUndefined();
    });
    expect(chosenTransaction(undefined)).toBeUndefined();
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
