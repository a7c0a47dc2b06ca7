import { describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { settle, turn } from '../../test/until.ts';
import { currentScope, runInScope } from '../handler-scope.ts';
import { BatchedLookup } from './batched-lookup.ts';
import { maxDeadLetterKeys, type DeadLetterKey } from './dead-letter-sink.ts';
import type { DeadLetter } from './dead-letter.ts';

const keyOf = (eventId: string): DeadLetterKey => {
  return { group: 'graders', handler: 'grade', source: 'scales', eventId };
};
const letterOf = (id: string): DeadLetter => ({ id }) as DeadLetter;
const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index));

/** A sink that answers when it is told to. */
function setUp() {
  const calls: { ids: string[]; end: (error?: Error) => void; scope: unknown }[] = [];
  const lookup = new BatchedLookup<DeadLetterKey, DeadLetter | null>(
    (keys) =>
      new Promise((resolve, reject) => {
        const ids = keys.map((key) => ('eventId' in key ? key.eventId : ''));
        const end = (error?: Error): void =>
          error ? reject(error) : resolve(ids.map((id) => (id === 'none' ? null : letterOf(id))));
        calls.push({ ids, end, scope: currentScope() });
      }),
    maxDeadLetterKeys,
  );
  return { calls, lookup };
}

describe('look-ups', () => {
  it('that come together cost one call, and each gets its own answer', async () => {
    const { calls, lookup } = setUp();
    const asked = ['a', 'none', 'b'].map((id) => lookup.find(keyOf(id)));
    await turn();
    expect(calls.map(({ ids }) => ids)).toEqual([['a', 'none', 'b']]);
    calls[0]!.end();
    expect(await Promise.all(asked)).toEqual([letterOf('a'), null, letterOf('b')]);
  });

  it('that come during a call go together as the next', async () => {
    const { calls, lookup } = setUp();
    const first = lookup.find(keyOf('a'));
    await turn();
    const later = ['b', 'c'].map((id) => lookup.find(keyOf(id)));
    await settle();
    expect(calls).toHaveLength(1);
    calls[0]!.end();
    await first;
    await settle();
    expect(calls.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c']]);
    calls[1]!.end();
    expect(await Promise.all(later)).toEqual([letterOf('b'), letterOf('c')]);
  });

  it('are a hundred at once at most', async () => {
    const { calls, lookup } = setUp();
    const asked = numbers(101).map((id) => lookup.find(keyOf(id)));
    await turn();
    calls[0]!.end();
    await settle();
    calls[1]!.end();
    await Promise.all(asked);
    expect(calls.map(({ ids }) => ids)).toEqual([numbers(100), ['100']]);
  });

  it('all fail with the call that they are in, and the next call is made all the same', async () => {
    const { calls, lookup } = setUp();
    const failing = ['a', 'b'].map((id) => lookup.find(keyOf(id)));
    await turn();
    const next = lookup.find(keyOf('c'));
    const away = new Error('away');
    calls[0]!.end(away);
    for (const each of failing) await expect(each).rejects.toBe(away);
    await settle();
    calls[1]!.end();
    expect(await next).toEqual(letterOf('c'));
    const afterwards = lookup.find(keyOf('d'));
    await turn();
    calls[2]!.end();
    expect(await afterwards).toEqual(letterOf('d'));
  });

  it('are no part of the handler in which the first of them happens to be asked for', async () => {
    const { calls, lookup } = setUp();
    const scope = { event: { id: 'e1' }, tx: {}, afterCommit: (run: () => void) => run() };
    const asked = runInScope(scope, () => lookup.find(keyOf('a')));
    await turn();
    expect(calls[0]!.scope).toBeUndefined();
    calls[0]!.end();
    await asked;
  });
});

describe('repeated deliveries', () => {
  it('that come together cost one look-up, and first ones none', async () => {
    const bench = new EngineBench();
    const asked: number[] = [];
    const find = bench.deadLetters.find.bind(bench.deadLetters);
    bench.deadLetters.find = (keys) => (asked.push(keys.length), find(keys));
    const transport = bench.transportWith({
      deliver: (deliver, delivery) =>
        deliver({ ...delivery, mayBeRepeated: !delivery.message.id.startsWith('first') }),
    });
    const group = bench.group({ transport, concurrency: 100 });
    const handled: string[] = [];
    group.on(['item.*'], ({ id }) => void handled.push(id));
    const ids = numbers(60);
    bench.publish(...ids.map((id) => ({ id })), ...ids.map((id) => ({ id: `first-${id}` })));
    await group.start();
    await bench.settled();
    expect(handled).toHaveLength(120);
    expect(asked).toEqual([60]);
    await bench.end();
  });
});
