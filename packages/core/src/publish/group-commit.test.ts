import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { envelope } from '../../test/envelope.ts';
import { settle, turn } from '../../test/until.ts';
import { GroupCommit } from './group-commit.ts';
import { currentScope, runInScope } from '../handler-scope.ts';

const refusal = (item: number): Error => new Error(`item ${item} is refused`);

/** Writes all or none, like a database; remembers what it wrote. */
function writer(bad: ReadonlySet<number> = new Set(), maxItems = 10) {
  const written: number[] = [];
  const groups: number[][] = [];
  let flushing = false;
  const commits = new GroupCommit<number, string>({
    maxItems,
    isItemFault: () => true,
    async flush(items) {
      expect(flushing).toBe(false);
      flushing = true;
      groups.push([...items]);
      await turn();
      flushing = false;
      const refused = items.find((item) => bad.has(item));
      if (refused !== undefined) throw refusal(refused);
      written.push(...items);
      return items.map((item) => `wrote ${item}`);
    },
  });
  return { commits, written, groups };
}

describe('group commit', () => {
  it('gives each its own result, keeps the order, and lets only the refused fail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        async (refused, maxItems) => {
          const bad = new Set(refused.flatMap((isBad, item) => (isBad ? [item] : [])));
          const { commits, written, groups } = writer(bad, maxItems);
          const results = await Promise.allSettled(refused.map((_, item) => commits.add(item)));
          expect(results).toEqual(
            refused.map((isBad, item) =>
              isBad
                ? { status: 'rejected', reason: refusal(item) }
                : { status: 'fulfilled', value: `wrote ${item}` },
            ),
          );
          expect(written).toEqual(refused.flatMap((isBad, item) => (isBad ? [] : [item])));
          expect(Math.max(0, ...groups.map(({ length }) => length))).toBeLessThanOrEqual(maxItems);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('writes what queued during a flush as one group, in one flush at a time', async () => {
    const { commits, groups } = writer();
    const first = commits.add(1);
    await settle();
    await first;
    const second = commits.add(2);
    await turn();
    const rest = [commits.add(3), commits.add(4)];
    await Promise.all([second, ...rest]);
    expect(groups[0]).toEqual([1]);
    expect(groups.flat()).toEqual([1, 2, 3, 4]);
    expect(groups.length).toBeLessThan(4);
  });

  it('fails all of a group when no single item is at fault', async () => {
    const away = new Error('the database is away');
    let flushes = 0;
    const commits = new GroupCommit<number, void>({
      maxItems: 10,
      isItemFault: () => false,
      flush: () => {
        flushes += 1;
        throw away;
      },
    });
    const results = await Promise.allSettled([commits.add(1), commits.add(2), commits.add(3)]);
    expect(results).toEqual([1, 2, 3].map(() => ({ status: 'rejected', reason: away })));
    expect(flushes).toBe(1);
  });

  it('goes on after an error, also one thrown while the error was judged', async () => {
    let broken = true;
    const commits = new GroupCommit<number, string>({
      maxItems: 10,
      isItemFault: () => {
        throw new Error('cannot judge');
      },
      flush: async (items) => {
        if (broken) throw new Error('refused');
        return items.map(String);
      },
    });
    const results = await Promise.allSettled([commits.add(1), commits.add(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    await expect(commits.add(3)).resolves.toBe('3');
  });

  it('refuses to guess when a flush answers for another number of items', async () => {
    const commits = new GroupCommit<number, string>({
      maxItems: 10,
      isItemFault: () => false,
      flush: async () => ['only one'],
    });
    const results = await Promise.allSettled([commits.add(1), commits.add(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('says when everything added so far has ended', async () => {
    const { commits, written } = writer();
    const added = [1, 2, 3].map((item) => commits.add(item));
    await commits.settled();
    expect(written).toEqual([1, 2, 3]);
    await Promise.all(added);
    await commits.settled();
  });

  it('flushes outside the handler whose call happened to start it', async () => {
    const scopes: unknown[] = [];
    const commits = new GroupCommit<number, void>({
      maxItems: 10,
      isItemFault: () => false,
      flush: async (items) => {
        scopes.push(currentScope());
        return items.map(() => undefined);
      },
    });
    const scope = { event: envelope(), tx: {}, afterCommit: () => {} };
    await runInScope(scope, async () => {
      await commits.add(1);
      expect(currentScope()).toBe(scope);
      await commits.add(2);
    });
    expect(scopes).toEqual([undefined, undefined]);
  });
});
