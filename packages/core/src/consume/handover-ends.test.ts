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

describe('an event that is left for a handler', () => {
  it('has a dead letter of its handler where it cannot be brought up to date', async () => {
    const broken = new Catalogue([
      defineEvent({
        type: 'item.graded',
        schema: schemaOf<unknown>((data) => data),
        version: 2,
        upcasters: {
          1: () => {
            throw new Error('no grade');
          },
        },
      } as never),
    ]);
    const said = { name: 'grade', catalogue: broken };
    await registered(['item.graded'], said);
    const old = await instance(['item.received']);
    publish({ id: 'e1', version: 1 });
    await bench.settled();
    await bench.stop(old.group);
    await instance(['item.graded'], said);
    await polled();
    await polled();
    expect(await bench.broker.handovers.open('graders')).toEqual([]);
    expect(await bench.deadLetters.list()).toMatchObject([{ handler: 'grade', eventId: 'e1' }]);
  });
});

describe('a worker that was killed and starts again under its name', () => {
  it('takes nothing of a key of which its former self has something', async () => {
    await registered(['item.graded'], { name: 'grade' });
    const old = await instance(['item.received']);
    publish({ id: 'e1', subject: 'item-1' });
    await bench.settled();
    const killed = bench.group({ worker: 'worker-0', redriveLeaseMs: 5_000 });
    const begun: string[] = [];
    killed.on(['item.graded'], ({ id }) => (begun.push(id), new Promise(() => {})), {
      name: 'grade',
    });
    await killed.start();
    await until(async () => (await polled(), begun.length === 1), 'it has begun');
    await bench.stop(killed);
    publish({ id: 'e2', subject: 'item-1' });
    await bench.settled();
    await bench.stop(old.group);
    const again = await instance(['item.graded'], { name: 'grade', worker: 'worker-0' });
    await until(async () => (await polled(), again.handled.length === 2), 'both are handled');
    expect(again.handled).toEqual(['e1', 'e2']);
  });
});
