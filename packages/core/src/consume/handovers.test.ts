import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { recording } from '../../test/handlers.ts';
import { schemaOf } from '../../test/schema.ts';
import { settle, until } from '../../test/until.ts';
import { Catalogue } from '../event/catalogue.ts';
import { defineEvent } from '../event/event-definition.ts';
import { MemoryDatabase } from '../memory/memory-database.ts';
import { MemoryHandoverQueue } from '../memory/memory-handover-queue.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

/** A started instance of the group `graders`, whose handlers note what they handle. */
async function instance(
  handlers: readonly [pattern: string, name?: string][],
  said: Partial<ConsumerGroupOptions> = {},
): Promise<{ group: ConsumerGroup; handled: string[] }> {
  const group = bench.group(said);
  const handled: string[] = [];
  for (const [pattern, name] of handlers) {
    const label = name ?? pattern;
    const options = name === undefined ? {} : { name };
    group.on([pattern], ({ id }) => void handled.push(`${label} ${id}`), options);
  }
  await group.start();
  return { group, handled };
}

/** Publishes ten events of one key. */
function publishTen(type: string, from = 0): string[] {
  const ids = Array.from({ length: 10 }, (_, number) => `e${from + number}`);
  bench.publish(...ids.map((id) => ({ id, type, subject: 'item-1' })));
  return ids;
}

async function polled(): Promise<void> {
  await settle();
  await bench.clock.advance(1_000);
  await settle();
}

describe('two versions of a service', () => {
  it('share a group, and each event reaches the handler that only one of them has', async () => {
    const old = await instance([['item.received']]);
    const young = await instance([['item.received'], ['item.graded']]);
    const ids = publishTen('item.graded');
    await bench.settled();
    await until(async () => {
      await polled();
      return young.handled.length === 10;
    }, 'the young one handles all');
    // One process keeps the order of a key; two that both take deliveries do not.
    expect(young.handled.toSorted()).toEqual(ids.map((id) => `item.graded ${id}`));
    expect(old.handled).toEqual([]);
    expect(await bench.broker.handovers.open('graders')).toEqual([]);
  });

  it('let a handler wait for its events although its instance starts after they were settled', async () => {
    const young = await instance([['item.graded', 'grade']]);
    await bench.stop(young.group);
    await instance([['item.received']]);
    const ids = publishTen('item.graded');
    await bench.settled();
    expect(await bench.broker.handovers.open('graders')).toMatchObject([
      { handler: 'grade', derived: false, eventType: 'item.graded', count: 10 },
    ]);
    const again = await instance([['item.graded', 'grade']]);
    await until(async () => {
      await polled();
      return again.handled.length === 10;
    }, 'it handles what waited');
    expect(again.handled).toEqual(ids.map((id) => `grade ${id}`));
  });

  it('count handlers without a name, so that a second one for a type is owed its part', async () => {
    const old = await instance([['item.*']]);
    const young = await instance([['item.*'], ['item.graded']]);
    await bench.stop(young.group);
    publishTen('item.graded');
    await bench.settled();
    expect(old.handled).toHaveLength(10);
    expect(await bench.broker.handovers.open('graders')).toMatchObject([
      { handler: 'item.graded', derived: true, count: 10 },
    ]);
  });

  it('take a handler whose patterns have changed for the one that it was', async () => {
    const young = await instance([['item.*']]);
    await bench.stop(young.group);
    const old = await instance([['item.graded']]);
    publishTen('item.graded');
    await bench.settled();
    expect(old.handled).toHaveLength(10);
    expect(await bench.broker.handovers.open('graders')).toEqual([]);
  });

  it('settle at once what no instance has ever registered', async () => {
    await instance([['item.received']]);
    publishTen('item.sold');
    await bench.settled();
    expect(bench.seen.of('unhandled-type')).toHaveLength(10);
    expect(await bench.broker.handovers.open('graders')).toEqual([]);
  });

  it('judge anew what was settled while a handler was registered', async () => {
    const transport = bench.transportWith({});
    const old = await instance([['item.received']], { transport });
    const { registry } = bench.broker;
    const register = registry.register.bind(registry);
    // The registration of the young one comes between the judgement and the settlement of the old one.
    const set = {
      id: 'young',
      service: '',
      sharedBy: null,
      versions: {},
      handlers: [{ name: 'grade', patterns: ['item.graded'], derived: false, formerly: [] }],
    };
    await register('graders', set, 'worker-9');
    publishTen('item.graded');
    await bench.settled();
    expect(old.handled).toEqual([]);
    expect(await bench.broker.handovers.open('graders')).toMatchObject([
      { handler: 'grade', count: 10 },
    ]);
  });

  it('keep the order of a key where one hands over what the other takes itself by then', async () => {
    const young = await instance([['item.graded', 'grade']]);
    await bench.stop(young.group);
    const old = await instance([['item.received']]);
    const first = publishTen('item.graded');
    await bench.settled();
    await bench.stop(old.group);
    const again = await instance([['item.graded', 'grade']]);
    const second = publishTen('item.graded', 10);
    await until(async () => {
      await polled();
      return again.handled.length === 20;
    }, 'all are handled');
    expect(again.handled).toEqual([...first, ...second].map((id) => `grade ${id}`));
  });
});

describe('an event of a newer version', () => {
  const passing = schemaOf<unknown>((data) => data);
  const catalogueOf = (version: 1 | 2): Catalogue =>
    new Catalogue([
      defineEvent({
        type: 'item.graded',
        schema: passing,
        ...(version === 2 ? { version: 2, upcasters: { 1: (data: unknown) => data } } : {}),
      } as never),
    ]);

  it('waits for the instance whose catalogue knows it', async () => {
    const young = await instance([['item.graded']], { catalogue: catalogueOf(2) });
    await bench.stop(young.group);
    const old = await instance([['item.graded']], { catalogue: catalogueOf(1) });
    bench.publish({ id: 'v1', type: 'item.graded', version: 1 });
    bench.publish({ id: 'v2', type: 'item.graded', version: 2 });
    await bench.settled();
    await polled();
    expect(old.handled).toEqual(['item.graded v1']);
    expect(await bench.deadLetters.list()).toEqual([]);
    const again = await instance([['item.graded']], { catalogue: catalogueOf(2) });
    await until(async () => (await polled(), again.handled.length === 1), 'it is handled');
    expect(again.handled).toEqual(['item.graded v2']);
  });

  it('waits for it also where that has registered a moment ago', async () => {
    const old = await instance([['item.graded']], { catalogue: catalogueOf(1) });
    const set = {
      id: 'young',
      service: '',
      sharedBy: null,
      versions: { 'item.graded': 2 },
      handlers: [{ name: 'item.graded', patterns: ['item.graded'], derived: true, formerly: [] }],
    };
    await bench.broker.registry.register('graders', set, 'worker-9');
    bench.publish({ id: 'v2', type: 'item.graded', version: 2 });
    bench.publish({ id: 'v3', type: 'item.graded', version: 3 });
    await bench.settled();
    // What nobody knows is handled as it is.
    expect(old.handled).toEqual(['item.graded v3']);
    expect(await bench.broker.handovers.open('graders')).toMatchObject([
      { handler: 'item.graded', eventVersion: 2, count: 1 },
    ]);
  });
});

describe('a handler that does not come back', () => {
  it('is named once and in the health, until it is retired', async () => {
    const young = await instance([['item.graded', 'grade']]);
    await bench.stop(young.group);
    const old = await instance([['item.received']]);
    publishTen('item.graded');
    await bench.settled();
    await bench.clock.advance(120_000);
    await polled();
    const warned = bench.seen.of('warning').filter(({ code }) => code === 'HANDLER_GONE');
    expect(warned).toHaveLength(1);
    expect(warned[0]!.message).toMatch(
      /^10 events \(item\.graded\) of group graders wait for handler grade, .*worker worker-1.*retire\(\{ handler: 'grade', by, reason \}\), in SQL: SELECT retire_handler\('graders', 'grade', 'who', 'why'\)$/,
    );
    expect(old.group.health().reasons.join()).toContain('wait for handler grade');
    expect(await old.group.retire({ handler: 'grade', by: 'ann', reason: 'rolled back' })).toBe(10);
    await polled();
    expect(old.group.health()).toEqual({ status: 'ok', reasons: [] });
    publishTen('item.graded', 10);
    await bench.settled();
    expect(await bench.broker.handovers.open('graders')).toEqual([]);
  });

  it('is not retired without a name and a reason', async () => {
    const { group } = await instance([['item.received']]);
    await expect(group.retire({ handler: 'x', by: ' ', reason: 'why' })).rejects.toThrow(TypeError);
    await expect(group.retire({ by: 'ann', reason: 'why' } as never)).rejects.toThrow(TypeError);
  });
});

describe('two services that use one group', () => {
  it('are both named, and both get all their events where they share a database', async () => {
    const handovers = new MemoryHandoverQueue(new MemoryDatabase(), { clock: bench.clock });
    const grader = await instance([['item.graded']], { service: 'grader', handovers });
    const biller = await instance([['item.graded']], { service: 'biller', handovers });
    publishTen('item.graded');
    await until(
      async () => (await polled(), grader.handled.length + biller.handled.length === 20),
      'both handle all',
    );
    expect([grader.handled.length, biller.handled.length]).toEqual([10, 10]);
    await bench.clock.advance(10_000);
    const warned = bench.seen.of('warning').filter(({ code }) => code === 'GROUP_SHARED');
    expect(warned.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^services biller and grader use one consumer group, graders/),
      expect.stringMatching(/^services grader and biller use one consumer group, graders/),
    ]);
  });

  it('are kept apart by name where they share none, until one of them is retired', async () => {
    await instance([['item.graded']], { service: 'grader', handovers: memoryQueue() });
    const biller = bench.group({ service: 'biller', handovers: memoryQueue() });
    const { handled, handler } = recording();
    biller.on(['item.graded'], handler);
    await expect(biller.start()).rejects.toMatchObject({
      code: 'GROUP_TAKEN',
      message: expect.stringMatching(/group graders belongs to service grader \(worker worker-1\)/),
    });
    // The first one owes nothing to the one that was refused.
    const { owner, sets } = await bench.broker.registry.read('graders');
    expect([owner, ...sets.map(({ service }) => service)]).toEqual(['grader', 'grader']);
    await biller.retire({ service: 'grader', by: 'ann', reason: 'renamed' });
    await biller.start();
    bench.publish({ id: 'e1' });
    await until(() => handled.length <= 1, 'it runs');
  });

  it('are kept apart also where both register at the same moment, and the first one starts again', async () => {
    const { registry } = bench.broker;
    const grader = { service: 'grader', handovers: memoryQueue() };
    const first = await instance([['item.graded']], grader);
    const read = registry.read.bind(registry);
    registry.read = async () => ({ version: '', owner: '', sets: [] });
    const biller = bench.group({ service: 'biller', handovers: memoryQueue() });
    biller.on(['item.graded'], () => {});
    await expect(biller.start()).rejects.toMatchObject({ code: 'GROUP_TAKEN' });
    registry.read = read;
    expect((await read('graders')).sets.map(({ service }) => service)).toEqual(['grader']);
    // One that was killed before it could take it back.
    const set = { id: 'late', service: 'biller', sharedBy: null, versions: {}, handlers: [] };
    await registry.register('graders', set, 'worker-9');
    await bench.stop(first.group);
    await expect(instance([['item.graded']], grader)).resolves.toBeDefined();
  });
});

describe('a group that cannot leave anything', () => {
  it('says so when it starts, in a warning and in its health, which is no trouble by itself', async () => {
    const transport = bench.transportWith({});
    Object.defineProperties(transport, {
      registry: { value: undefined },
      handovers: { value: undefined },
    });
    const { group } = await instance([['item.graded']], { transport });
    const words = /^group graders lacks a registry, which memory does not keep: during a deploy/;
    const warned = bench.seen.of('warning').filter(({ code }) => code === 'HANDOVERS_MISSING');
    expect(warned.map(({ message }) => message)).toEqual([expect.stringMatching(words)]);
    expect(group.health()).toEqual({ status: 'ok', reasons: [expect.stringMatching(words)] });
    await expect(group.retire({ handler: 'x', by: 'ann', reason: 'gone' })).rejects.toMatchObject({
      code: 'CAPABILITY_MISSING',
    });
  });
});

describe('a handler whose name has changed with its patterns', () => {
  const renamed = (): string[] =>
    bench.seen
      .of('warning')
      .filter(({ code }) => code === 'HANDLER_RENAMED')
      .map(({ message }) => message);

  it('is named at the start, together with its former name', async () => {
    const old = bench.group();
    old.on(['item.graded', 'item.received'], () => {});
    await old.start();
    await bench.stop(old);
    const young = bench.group();
    young.on(['item.graded', 'item.priced', 'item.received'], () => {});
    await young.start();
    expect(renamed()).toEqual([
      expect.stringMatching(
        /^handler item\.graded,item\.priced,item\.received of group graders seems to be what was called item\.graded,item\.received; .* formerly: \['item\.graded,item\.received'\]/,
      ),
    ]);
  });

  it('is not, where it says what it was called', async () => {
    const old = bench.group();
    old.on(['item.graded', 'item.received'], () => {});
    await old.start();
    await bench.stop(old);
    const young = bench.group();
    const formerly = ['item.graded,item.received'];
    young.on(['item.graded', 'item.priced', 'item.received'], () => {}, { formerly });
    await young.start();
    expect(renamed()).toEqual([]);
  });
});

function memoryQueue(): MemoryHandoverQueue {
  return new MemoryHandoverQueue(new MemoryDatabase(), { clock: bench.clock });
}
