import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench, idleTimers } from '../../test/engine-bench.ts';
import { until } from '../../test/until.ts';
import { currentScope } from '../handler-scope.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

describe('ten thousand deliveries', () => {
  it('leave nothing behind on a signal that outlives them', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    let most = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      most = Math.max(most, ++listeners);
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const transport = new MemoryTransport({ broker: bench.broker });
    const subscribe = transport.subscribe.bind(transport);
    transport.subscribe = (subscription, deliver) =>
      subscribe(subscription, (delivery) => deliver({ ...delivery, signal }));
    const group = bench.group({ transport, concurrency: 20 });
    let handled = 0;
    group.on(['item.*'], (_event, asked) => void (handled += asked.signal.aborted ? 0 : 1));
    await group.start();
    for (let number = 0; number < 10_000; number += 1) bench.publish({ id: `e${number}` });
    await until(() => handled === 10_000, 'all are handled');
    await bench.settled();
    expect({ listeners, timers: bench.clock.waiting }).toEqual({
      listeners: 0,
      timers: idleTimers,
    });
    expect(most).toBeGreaterThan(1);
  });
});

describe('a delivery', () => {
  it.each([
    { inbox: false, asks: false, made: 0 },
    { inbox: true, asks: false, made: 0 },
    { inbox: false, asks: true, made: 1 },
    { inbox: true, asks: true, made: 1 },
  ])('makes a signal for a handler that asks: $asks, with an inbox: $inbox', async (each) => {
    const group = bench.group();
    let handled = 0;
    const handle = (_event: unknown, context: { signal: AbortSignal }): void => {
      handled += each.asks && context.signal.aborted ? 0 : 1;
    };
    group.on(['item.*'], handle, { inbox: each.inbox });
    await group.start();
    let made = 0;
    const original = globalThis.AbortController;
    globalThis.AbortController = class extends original {
      constructor() {
        super();
        made += 1;
      }
    };
    try {
      bench.publish({ id: 'e1' });
      await bench.settled();
    } finally {
      globalThis.AbortController = original;
    }
    expect({ handled, made }).toEqual({ handled: 1, made: each.made });
  });

  it('keeps the scope of a publisher out of what it delivers', async () => {
    const group = bench.group();
    const scopes: unknown[] = [];
    const find = bench.deadLetters.find.bind(bench.deadLetters);
    bench.deadLetters.find = (key) => {
      scopes.push(currentScope());
      return find(key);
    };
    const transport = new MemoryTransport({ broker: bench.broker });
    const subscribe = transport.subscribe.bind(transport);
    const again = bench.group({
      group: 'again',
      transport: Object.assign(transport, {
        subscribe: ((subscription, deliver) =>
          subscribe(subscription, (delivery) =>
            deliver({ ...delivery, mayBeRepeated: true }),
          )) as typeof subscribe,
      }),
    });
    group.on(['item.*'], () => bench.publish({ id: 'e2', type: 'lot.sold' }), { inbox: true });
    again.on(['lot.*'], () => {});
    await Promise.all([group.start(), again.start()]);
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(scopes).toEqual([undefined]);
  });
});
