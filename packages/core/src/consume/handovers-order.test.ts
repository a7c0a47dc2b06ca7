import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { recording } from '../../test/handlers.ts';
import { settle, until } from '../../test/until.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

/** A started instance with one handler, which notes ids. */
async function instance(
  pattern: string,
  said: Partial<ConsumerGroupOptions> = {},
): Promise<{ group: ConsumerGroup; handled: string[] }> {
  const group = bench.group(said);
  const { handled, handler } = recording();
  group.on([pattern], handler, { name: pattern });
  await group.start();
  return { group, handled };
}

/** Registers an instance that is not here. */
async function registerYoung(versions: Readonly<Record<string, number>> = {}): Promise<void> {
  const name = 'item.graded';
  const handlers = [{ name, patterns: [name], derived: false, formerly: [] }];
  const set = { id: 'young', service: '', sharedBy: null, versions, handlers };
  await bench.broker.registry.register('graders', set, 'worker-9');
}

async function polled(): Promise<void> {
  await settle();
  await bench.clock.advance(1_000);
  await settle();
}

describe('events of one key that are left for a handler', () => {
  it('wait in their order, also those that were settled when it was registered', async () => {
    const { handovers } = bench.broker;
    await instance('item.received');
    await registerYoung();
    const add = handovers.add.bind(handovers);
    const gate = Promise.withResolvers<void>();
    let isLate = false;
    handovers.add = async (...args) => {
      const isFirst = !isLate;
      isLate = true;
      if (isFirst) await gate.promise;
      await add(...args);
    };
    bench.publish({ id: 'e0', type: 'item.graded', subject: 'item-1' });
    await until(() => isLate, 'the first one was settled, and is being left');
    bench.publish({ id: 'e1', type: 'item.graded', subject: 'item-1' });
    await settle();
    gate.resolve();
    await bench.settled();
    const young = await instance('item.graded');
    await until(async () => (await polled(), young.handled.length === 2), 'both are handled');
    expect(young.handled).toEqual(['e0', 'e1']);
  });
});
