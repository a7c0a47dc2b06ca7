import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HandoverBench } from '../../test/handover-bench.ts';
import { schemaOf } from '../../test/schema.ts';
import { until } from '../../test/until.ts';
import { Catalogue } from '../event/catalogue.ts';
import { defineEvent } from '../event/event-definition.ts';

let bench: HandoverBench;

beforeEach(() => {
  bench = new HandoverBench();
});

afterEach(() => bench.end());

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
    await bench.registered(['item.graded'], said);
    const old = await bench.instance(['item.received']);
    bench.publishGraded({ id: 'e1', version: 1 });
    await bench.settled();
    await bench.stop(old.group);
    await bench.instance(['item.graded'], said);
    await bench.polled();
    await bench.polled();
    expect(await bench.broker.handovers.open('graders')).toEqual([]);
    expect(await bench.deadLetters.list()).toMatchObject([{ handler: 'grade', eventId: 'e1' }]);
  });
});

describe('a worker that was killed and starts again under its name', () => {
  it('takes nothing of a key of which its former self has something', async () => {
    await bench.registered(['item.graded'], { name: 'grade' });
    const old = await bench.instance(['item.received']);
    bench.publishGraded({ id: 'e1', subject: 'item-1' });
    await bench.settled();
    const killed = bench.group({ worker: 'worker-0', redriveLeaseMs: 5_000 });
    const begun: string[] = [];
    killed.on(['item.graded'], ({ id }) => (begun.push(id), new Promise(() => {})), {
      name: 'grade',
    });
    await killed.start();
    await until(async () => (await bench.polled(), begun.length === 1), 'it has begun');
    await bench.stop(killed);
    bench.publishGraded({ id: 'e2', subject: 'item-1' });
    await bench.settled();
    await bench.stop(old.group);
    const again = await bench.instance(['item.graded'], { name: 'grade', worker: 'worker-0' });
    await until(async () => (await bench.polled(), again.handled.length === 2), 'both are handled');
    expect(again.handled).toEqual(['e1', 'e2']);
  });
});
