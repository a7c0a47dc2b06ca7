import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { recording } from '../../test/handlers.ts';
import { settle } from '../../test/until.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

describe('order', () => {
  it('is kept per key through retries, while other keys go on', async () => {
    const group = bench.group({ concurrency: 2 });
    const handled: string[] = [];
    let failures = 3;
    group.on(['item.*'], ({ id }) => {
      if (id === 'a1' && failures-- > 0) throw new Error('not yet');
      handled.push(id);
    });
    await group.start();
    bench.publish(
      { id: 'a1', subject: 'a' },
      { id: 'a2', subject: 'a' },
      { id: 'b1', subject: 'b' },
      { id: 'b2', subject: 'b' },
    );
    await settle();
    expect(handled).toEqual(['b1', 'b2']);
    await bench.clock.advance(7_000);
    await bench.settled();
    expect(handled).toEqual(['b1', 'b2', 'a1', 'a2']);
    const attempts = bench.seen.of('attempt-failed');
    expect(attempts.map(({ willRetryInMs }) => willRetryInMs)).toEqual([1_000, 2_000, 4_000]);
  });

  it('holds with many keys and handlers of all speeds', async () => {
    const group = bench.group({ concurrency: 5 });
    const ofKey = new Map<string, number[]>();
    group.on(['item.*'], async ({ id, subject }) => {
      const number = Number(id.split('-')[1]);
      if (number % 7 === 0) await settle();
      ofKey.set(subject!, [...(ofKey.get(subject!) ?? []), number]);
    });
    await group.start();
    for (let number = 0; number < 300; number += 1) {
      bench.publish({ id: `e-${number}`, subject: `key-${number % 13}` });
    }
    await bench.settled();
    expect([...ofKey.values()].flat().length).toBe(300);
    for (const numbers of ofKey.values()) {
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  it('is not held up by another group that fails', async () => {
    const failing = bench.group({ group: 'failing' });
    const working = bench.group({ group: 'working' });
    const { handled, handler } = recording();
    let calls = 0;
    failing.on(['item.*'], () => {
      calls += 1;
      throw new Error('no');
    });
    working.on(['item.*'], handler);
    await Promise.all([failing.start(), working.start()]);
    bench.publish({ id: 'e1' });
    await settle();
    await bench.clock.advance(10_000);
    await bench.settled();
    expect({ calls, handled }).toEqual({ calls: 4, handled: ['e1'] });
    expect((await bench.deadLetters.list()).map((letter) => letter.group)).toEqual(['failing']);
  });
});
