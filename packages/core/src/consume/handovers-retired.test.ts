import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HandoverBench } from '../../test/handover-bench.ts';
import { settle } from '../../test/until.ts';

let bench: HandoverBench;

beforeEach(() => {
  bench = new HandoverBench();
});

afterEach(() => bench.end());

describe('a handler that was retired', () => {
  const retirement = { by: 'ann', reason: 'gone' };

  it('misses nothing from the moment that it is registered again', async () => {
    await bench.registered(['item.graded'], { name: 'grade' });
    const old = await bench.instance(['item.received']);
    await old.group.retire({ handler: 'grade', ...retirement });
    const { registry, handovers } = bench.broker;
    const reinstate = handovers.reinstate.bind(handovers);
    const register = registry.register.bind(registry);
    registry.register = async (group, set, worker) => {
      const copy = await register(group, set, worker);
      if (set.handlers.some(({ name }) => name === 'grade')) {
        // The old one meets an event, and looks at the registry, before anything else happens.
        registry.register = register;
        bench.publishGraded({ id: 'e1' });
        await bench.clock.advance(10_000);
        await settle();
      }
      return copy;
    };
    handovers.reinstate = async (...args) => (await settle(), await reinstate(...args));
    const young = await bench.instance(['item.graded'], { name: 'grade' });
    await bench.polled();
    await bench.polled();
    expect(young.handled).toEqual(['e1']);
  });

  it('is so no longer once an instance that still has it is heard of again', async () => {
    const young = await bench.instance(['item.graded'], { name: 'grade' });
    const old = await bench.instance(['item.received']);
    await old.group.retire({ handler: 'grade', ...retirement });
    await bench.clock.advance(20_000);
    await settle();
    const { handovers } = bench.broker;
    const message = { id: 'e1', type: 'item.graded', key: 'k', contentType: 'x', body: '' };
    await handovers.add([
      {
        group: 'graders',
        handler: 'grade',
        derived: false,
        eventId: 'e1',
        eventType: 'item.graded',
        eventVersion: 1,
        source: '/test',
        coordinates: { transport: 'memory', stream: 's', position: '1' },
        message,
      },
    ]);
    expect(await handovers.open('graders')).toMatchObject([{ handler: 'grade', count: 1 }]);
    await bench.stop(young.group);
  });
});
