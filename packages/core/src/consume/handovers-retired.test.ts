import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { settle } from '../../test/until.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

/** A started instance of the group `graders`, whose one handler notes what it handles. */
async function instance(
  patterns: readonly string[],
  { name, ...said }: Partial<ConsumerGroupOptions> & { name?: string } = {},
): Promise<{ group: ConsumerGroup; handled: string[] }> {
  const group = bench.group(said);
  const handled: string[] = [];
  const options = name === undefined ? {} : { name };
  group.on(patterns, ({ id }) => void handled.push(id), options);
  await group.start();
  return { group, handled };
}

/** Registers an instance for a moment, so that the group owes its handler what comes. */
async function registered(
  patterns: readonly string[],
  said: Partial<ConsumerGroupOptions> & { name?: string } = {},
): Promise<void> {
  const { group } = await instance(patterns, said);
  await bench.stop(group);
}

function publish(...events: { id: string; subject?: string; version?: number }[]): void {
  bench.publish(...events.map((each) => ({ type: 'item.graded', ...each })));
}

async function polled(): Promise<void> {
  await settle();
  await bench.clock.advance(1_000);
  await settle();
}

describe('a handler that was retired', () => {
  const retirement = { by: 'ann', reason: 'gone' };

  it('misses nothing from the moment that it is registered again', async () => {
    await registered(['item.graded'], { name: 'grade' });
    const old = await instance(['item.received']);
    await old.group.retire({ handler: 'grade', ...retirement });
    const { registry, handovers } = bench.broker;
    const reinstate = handovers.reinstate.bind(handovers);
    const register = registry.register.bind(registry);
    registry.register = async (group, set, worker) => {
      const copy = await register(group, set, worker);
      if (set.handlers.some(({ name }) => name === 'grade')) {
        // The old one meets an event, and looks at the registry, before anything else happens.
        registry.register = register;
        publish({ id: 'e1' });
        await bench.clock.advance(10_000);
        await settle();
      }
      return copy;
    };
    handovers.reinstate = async (...args) => (await settle(), await reinstate(...args));
    const young = await instance(['item.graded'], { name: 'grade' });
    await polled();
    await polled();
    expect(young.handled).toEqual(['e1']);
  });

  it('is so no longer once an instance that still has it is heard of again', async () => {
    const young = await instance(['item.graded'], { name: 'grade' });
    const old = await instance(['item.received']);
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
