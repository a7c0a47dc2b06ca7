import { describe, expect, it } from 'vitest';

import { Arrivals } from './arrivals.ts';

const isEven = (number: number) => number % 2 === 0;

describe('arrivals', () => {
  it('gives what came before and what comes later, each once', async () => {
    const arrivals = new Arrivals<number>();
    arrivals.add(1);
    arrivals.add(2);

    expect(await arrivals.take('an even number', isEven, 1_000)).toBe(2);
    const later = arrivals.take('an even number', isEven, 1_000);
    arrivals.add(3);
    arrivals.add(4);

    expect(await later).toBe(4);
    expect(await arrivals.take('anything', () => true, 1_000)).toBe(1);
    expect(await arrivals.take('anything', () => true, 1_000)).toBe(3);
  });

  it('gives one thing to one waiter', async () => {
    const arrivals = new Arrivals<number>();
    const both = [1, 2].map(() => arrivals.take('a number', () => true, 1_000));
    arrivals.add(1);
    arrivals.add(2);

    expect((await Promise.all(both)).sort()).toEqual([1, 2]);
  });

  it('names what did not come', async () => {
    const arrivals = new Arrivals<number>();

    await expect(arrivals.take('the message ready', isEven, 1)).rejects.toThrow(
      'the message ready',
    );
  });

  it('tells waiters, now and later, why nothing more comes', async () => {
    const arrivals = new Arrivals<number>();
    arrivals.add(1);
    const waiting = arrivals.take('an even number', isEven, 60_000);

    arrivals.end(new Error('the process has ended'));

    await expect(waiting).rejects.toThrow('has ended');
    await expect(arrivals.take('an even number', isEven, 60_000)).rejects.toThrow('has ended');
    expect(await arrivals.take('what came before', () => true, 1_000)).toBe(1);
  });
});
