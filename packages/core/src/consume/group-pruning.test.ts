import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { settle } from '../../test/until.ts';
import { MemoryDeadLetterQueue } from '../memory/memory-dead-letter-queue.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import { silentLogger, type Logger } from '../observer.ts';
import type { TransportInspection } from '../transport/transport-inspection.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import type { PrunedGroup, Pruner } from './pruner.ts';

const hourMs = 3_600_000;
let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

/** A running group, and what a pruner sees of it. */
async function running(
  said: Partial<ConsumerGroupOptions> = {},
  covered: readonly object[] = [bench.deadLetters],
): Promise<{ group: ConsumerGroup; pruned: PrunedGroup; stop: () => Promise<void> }> {
  let pruned: PrunedGroup | undefined;
  const stop = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const pruner: Pruner = {
    covers: (queue) => covered.includes(queue),
    start(given) {
      pruned = given;
      return { stop };
    },
  };
  const group = bench.group({ pruner, ...said });
  group.on(['item.*'], ({ id }) => {
    if (id === 'bad') throw new Error('no such grade');
  });
  await group.start();
  return { group, pruned: pruned!, stop };
}

/** A transport that says this of the streams. */
function transportThatSays(inspection: TransportInspection): MemoryTransport {
  const transport = new MemoryTransport({ broker: bench.broker });
  transport.inspect = () => Promise.resolve(inspection);
  return transport;
}

const groupAt = (name: string, lagSeconds: number | undefined) => ({
  name,
  pending: 1,
  lag: 0,
  lagSeconds,
  consumers: 1,
  members: [],
});

describe('a group whose database is pruned', () => {
  it('is pruned from its start to its stop', async () => {
    const { group, pruned, stop } = await running();
    expect(pruned.group).toBe('graders');
    expect(stop).not.toHaveBeenCalled();
    await bench.stop(group);
    expect(stop).toHaveBeenCalledTimes(1);
  });

  it('is not pruned for a broadcast, which keeps nothing', async () => {
    const start = vi.fn<Pruner['start']>();
    const group = bench.group({ group: null, pruner: { covers: () => true, start } });
    group.on(['item.*'], () => {});
    await group.start();
    expect(start).not.toHaveBeenCalled();
  });

  it('says how long ago the oldest event was accepted that it has not finished', async () => {
    const { pruned } = await running({ timeoutMs: 10 * hourMs });
    expect(await pruned.unfinishedForMs()).toBe(0);
    const group = bench.group({ group: 'slow', pruner: { covers: () => true, start: keep } });
    let slow: PrunedGroup | undefined;
    function keep(given: PrunedGroup) {
      slow = given;
      return { stop: () => Promise.resolve() };
    }
    group.on(['item.*'], () => bench.clock.sleep(3 * hourMs));
    await group.start();
    bench.publish({ id: 'e1' });
    await settle();
    await bench.clock.advance(2_000);
    expect(await slow!.unfinishedForMs()).toBe(2_000);
    expect(await pruned.unfinishedForMs()).toBe(0);
  });

  it('goes by the stream on which it is furthest behind', async () => {
    const transport = transportThatSays({
      streams: [
        { name: 'item', length: 1, groups: [groupAt('graders', 5), groupAt('others', 500)] },
        { name: 'lot', length: 1, groups: [groupAt('graders', 70)] },
      ],
    });
    const { pruned } = await running({ transport });
    expect(await pruned.unfinishedForMs()).toBe(70_000);
    expect(bench.seen.of('warning').map(({ code }) => code)).not.toContain('PRUNE_HELD_BACK');
  });

  it.each([
    ['cannot tell of one stream', [groupAt('graders', 5), groupAt('graders', undefined)]],
    ['does not know the group', [groupAt('others', 5)]],
  ])('keeps everything where its transport %s, and warns of that once', async (_, groups) => {
    const transport = transportThatSays({ streams: [{ name: 'item', length: 1, groups }] });
    const { pruned } = await running({ transport });
    expect(await pruned.unfinishedForMs()).toBeUndefined();
    expect(await pruned.unfinishedForMs()).toBeUndefined();
    const warned = bench.seen.of('warning').filter(({ code }) => code === 'PRUNE_HELD_BACK');
    expect(warned).toHaveLength(1);
  });

  it('counts dead letters that lie elsewhere as unfinished, and those of the database not', async () => {
    const elsewhere = new MemoryDeadLetterQueue(bench.database, { clock: bench.clock });
    const { pruned } = await running({ deadLetters: elsewhere, retry: { maxRetries: 0 } });
    const time = new Date(bench.clock.now() - hourMs).toISOString();
    bench.publish({ id: 'bad', time });
    await bench.settled();
    await bench.clock.advance(2 * hourMs);
    expect(await pruned.unfinishedForMs()).toBe(3 * hourMs);
    const [letter] = await elsewhere.list();
    await elsewhere.skip(letter!.id, { by: 'me', notes: 'a typo' });
    expect(await pruned.unfinishedForMs()).toBe(0);
  });

  it('counts handovers that lie elsewhere as unfinished, and those of the database not', async () => {
    const { handovers } = bench.broker;
    const { pruned } = await running({}, [bench.deadLetters]);
    const covering = await running({}, [bench.deadLetters, handovers]);
    handovers.open = () =>
      Promise.resolve([
        {
          handler: 'grade',
          derived: false,
          eventType: 'item.graded',
          eventVersion: 1,
          count: 1,
          oldest: new Date(bench.clock.now() - hourMs),
        },
      ]);
    expect(await pruned.unfinishedForMs()).toBe(hourMs);
    expect(await covering.pruned.unfinishedForMs()).toBe(0);
  });

  it('tells its observer what was deleted, and nothing where nothing was', async () => {
    const { pruned } = await running();
    pruned.pruned('inbox', 3);
    pruned.pruned('idempotency-keys', 2);
    pruned.pruned('handovers', 0);
    expect(bench.seen.of('pruned')).toEqual([
      { kind: 'pruned', what: 'inbox', group: 'graders', count: 3 },
      { kind: 'pruned', what: 'idempotency-keys', group: undefined, count: 2 },
    ]);
  });

  it('names each failure to the observer, and the trouble once to log and health', async () => {
    const warn = vi.fn<Logger['warn']>();
    const { group, pruned } = await running({ logger: { ...silentLogger, warn } });
    const error = new Error('permission denied for table inbox');
    pruned.failed('inbox', error);
    pruned.failed('inbox', error);
    const failure = { kind: 'prune-failed', what: 'inbox', group: 'graders', error };
    expect(bench.seen.of('prune-failed')).toEqual([failure, failure]);
    expect(warn.mock.calls.map(([details]) => details)).toEqual([
      expect.objectContaining({ code: 'PRUNER_TROUBLE', who: 'pruner', name: 'graders', error }),
    ]);
    expect(group.health().reasons).toEqual([
      expect.stringMatching(/^the pruner of graders does not get on: permission denied/),
    ]);
    pruned.finished();
    expect(group.health().status).toBe('ok');
    expect(bench.seen.of('recovered')).toMatchObject([{ who: 'pruner', name: 'graders' }]);
  });

  it('is well after its stop, whatever could not be deleted', async () => {
    const { group, pruned } = await running({ silence: ['PRUNER_TROUBLE'] });
    pruned.failed('inbox', new Error('away'));
    await bench.stop(group);
    expect(group.health().status).toBe('ok');
  });
});
