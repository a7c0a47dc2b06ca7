import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { schemaOf } from '../../test/schema.ts';
import { settle, until } from '../../test/until.ts';
import { Catalogue } from '../event/catalogue.ts';
import { defineEvent } from '../event/event-definition.ts';
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

describe('a handler without a name that several versions have under different names', () => {
  it('is left each event once', async () => {
    await registered(['item.graded']);
    await registered(['item.graded', 'item.sold']);
    const old = await instance(['item.received']);
    publish({ id: 'e1' });
    await bench.settled();
    expect(await bench.broker.handovers.open('graders')).toMatchObject([
      { handler: 'item.graded,item.sold', count: 1 },
    ]);
    await bench.stop(old.group);
    const young = await instance(['item.graded']);
    await until(async () => (await polled(), young.handled.length > 0), 'it is handled');
    await polled();
    expect(young.handled).toEqual(['e1']);
  });

  it('takes what waits under another name before what is delivered, from its start on', async () => {
    await registered(['item.graded']);
    const old = await instance(['item.received']);
    publish({ id: 'e1', subject: 'item-1' });
    await bench.settled();
    await bench.stop(old.group);
    publish({ id: 'e2', subject: 'item-1' });
    const { handovers } = bench.broker;
    const open = handovers.open.bind(handovers);
    const looked = Promise.withResolvers<void>();
    handovers.open = async (group) => (await looked.promise, await open(group));
    const young = await instance(['item.graded', 'item.sold']);
    await settle();
    looked.resolve();
    await until(async () => (await polled(), young.handled.length === 2), 'both are handled');
    expect(young.handled).toEqual(['e1', 'e2']);
  });
});

describe('a newer event that is left for a handler', () => {
  const catalogueOf = (version: 1 | 2): Catalogue =>
    new Catalogue([
      defineEvent({
        type: 'item.graded',
        schema: schemaOf<unknown>((data) => data),
        ...(version === 2 ? { version: 2, upcasters: { 1: (data: unknown) => data } } : {}),
      } as never),
    ]);

  it('is handled as it is where no version of the handler knows it', async () => {
    const said = { name: 'grade', catalogue: catalogueOf(1) };
    await registered(['item.graded'], said);
    const old = await instance(['item.received']);
    publish({ id: 'e1', version: 2 });
    await bench.settled();
    await bench.stop(old.group);
    const young = await instance(['item.graded'], said);
    await polled();
    await polled();
    expect(young.handled).toEqual(['e1']);
    expect(young.group.health().reasons).toEqual([]);
  });
});
