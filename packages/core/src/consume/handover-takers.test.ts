import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { HandoverBench } from '../../test/handover-bench.ts';
import { schemaOf } from '../../test/schema.ts';
import { settle, until } from '../../test/until.ts';
import { Catalogue } from '../event/catalogue.ts';
import { defineEvent } from '../event/event-definition.ts';

let bench: HandoverBench;

beforeEach(() => {
  bench = new HandoverBench();
});

afterEach(() => bench.end());

describe('a handler without a name that several versions have under different names', () => {
  it('is left each event once', async () => {
    await bench.registered(['item.graded']);
    await bench.registered(['item.graded', 'item.sold']);
    const old = await bench.instance(['item.received']);
    bench.publishGraded({ id: 'e1' });
    await bench.settled();
    expect(await bench.broker.handovers.open('graders')).toMatchObject([
      { handler: 'item.graded,item.sold', count: 1 },
    ]);
    await bench.stop(old.group);
    const young = await bench.instance(['item.graded']);
    await until(async () => (await bench.polled(), young.handled.length > 0), 'it is handled');
    await bench.polled();
    expect(young.handled).toEqual(['e1']);
  });

  it('takes what waits under another name before what is delivered, from its start on', async () => {
    await bench.registered(['item.graded']);
    const old = await bench.instance(['item.received']);
    bench.publishGraded({ id: 'e1', subject: 'item-1' });
    await bench.settled();
    await bench.stop(old.group);
    bench.publishGraded({ id: 'e2', subject: 'item-1' });
    const { handovers } = bench.broker;
    const open = handovers.open.bind(handovers);
    const looked = Promise.withResolvers<void>();
    handovers.open = async (group) => (await looked.promise, await open(group));
    const young = await bench.instance(['item.graded', 'item.sold']);
    await settle();
    looked.resolve();
    await until(async () => (await bench.polled(), young.handled.length === 2), 'both are handled');
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
    await bench.registered(['item.graded'], said);
    const old = await bench.instance(['item.received']);
    bench.publishGraded({ id: 'e1', version: 2 });
    await bench.settled();
    await bench.stop(old.group);
    const young = await bench.instance(['item.graded'], said);
    await bench.polled();
    await bench.polled();
    expect(young.handled).toEqual(['e1']);
    expect(young.group.health().reasons).toEqual([]);
  });
});
