import { describe, expect, it } from 'vitest';

import { EventError } from '../errors.ts';
import { UnwrittenSettlements } from './unwritten-settlements.ts';

/** Counts how often it is judged; tests hold it to the end, since it is followed by a weak reference. */
class Settled {
  times = 0;
  readonly #judge: () => Promise<void>;

  constructor(judge: () => Promise<void>) {
    this.#judge = judge;
  }

  judgeAll(): Promise<void> {
    this.times += 1;
    return this.#judge();
  }
}

describe('what was settled and is not yet written', () => {
  it('is judged once for each version, however many wait for it', async () => {
    const unwritten = new UnwrittenSettlements();
    const { promise, resolve } = Promise.withResolvers<void>();
    const settled = new Settled(() => promise);
    unwritten.follow(settled);
    const waiting = Promise.all([unwritten.judgeBy('1'), unwritten.judgeBy('1')]);
    resolve();
    await waiting;
    await unwritten.judgeBy('1');
    expect(settled.times).toBe(1);
    await unwritten.judgeBy('2');
    expect(settled.times).toBe(2);
  });

  it('is judged again where that failed, and nobody goes on before', async () => {
    const unwritten = new UnwrittenSettlements();
    const outcomes = [() => Promise.reject(new Error('away')), () => Promise.resolve()];
    const settled = new Settled(() => outcomes.shift()!());
    unwritten.follow(settled);
    await expect(unwritten.judgeBy('1')).rejects.toThrow('away');
    await unwritten.judgeBy('1');
    expect(settled.times).toBe(2);
  });

  it('is forgotten where it belongs to somebody else by now', async () => {
    const unwritten = new UnwrittenSettlements();
    const lost = new EventError('CLAIM_LOST', 'somebody has it', { key: 'graders' });
    const settled = new Settled(() => Promise.reject(lost));
    unwritten.follow(settled);
    await unwritten.judgeBy('1');
    await unwritten.judgeBy('2');
    expect(settled.times).toBe(1);
  });
});
