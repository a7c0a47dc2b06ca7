import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { recording } from '../../test/handlers.ts';
import { settle, until } from '../../test/until.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

describe('a broadcast subscription', () => {
  it('gives every instance everything from now on', async () => {
    bench.publish({ id: 'before' });
    const instances = [recording(), recording()];
    for (const { handler } of instances) {
      const group = bench.group({ group: null });
      group.on(['item.*'], handler);
      await group.start();
    }
    bench.publish({ id: 'e1' }, { id: 'e2' });
    await until(() => instances.every(({ handled }) => handled.length === 2), 'both have both');
    expect(instances.map(({ handled }) => handled)).toEqual([
      ['e1', 'e2'],
      ['e1', 'e2'],
    ]);
  });

  it('reports what failed after its retries, and what it cannot read, and goes on', async () => {
    const group = bench.group({ group: null, retry: { maxRetries: 1, jitterFactor: 0 } });
    const { handled, handler } = recording();
    group.on(['item.*'], (event, context) => {
      if (event.id === 'bad') throw new Error('no');
      return handler(event, context);
    });
    await group.start();
    bench.publish({ id: 'bad', subject: 'a' }, { id: 'good', subject: 'a' });
    bench.publishRaw({ id: 'unreadable', body: '{' });
    await settle();
    await bench.clock.advance(1_000);
    await until(() => handled.length === 1, 'the next one is handled');
    expect(bench.seen.of('broadcast-failed').map(({ eventId }) => eventId)).toEqual([
      'unreadable',
      'bad',
    ]);
    expect(await bench.deadLetters.list()).toEqual([]);
  });

  it('has no inbox and no dead letters', () => {
    expect(() => bench.group({ group: null, deadLetters: bench.deadLetters })).toThrow(TypeError);
    expect(() => bench.group({ group: null }).on(['item.*'], () => {}, { inbox: true })).toThrow(
      'a broadcast subscription has no inbox',
    );
  });

  it('is refused where the transport cannot do it', () => {
    const transport = new MemoryTransport();
    Object.assign(transport, { capabilities: { ...transport.capabilities, broadcast: false } });
    expect(() => bench.group({ group: null, transport })).toThrow(/^CAPABILITY_MISSING/);
  });
});
