import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { schemaOf } from '../../test/schema.ts';
import { Catalogue } from '../event/catalogue.ts';
import { defineEvent, defineEventPattern } from '../event/event-definition.ts';

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

afterEach(() => bench.end());

const graded = { type: 'item.graded', data: { grade: 'A' } };

describe('the catalogue', () => {
  const catalogue = new Catalogue([
    defineEvent({
      type: 'item.graded',
      version: 2,
      description: 'An item got its grade',
      owner: 'tests',
      upcasters: { 1: (data) => data },
      schema: schemaOf((data) => {
        const { grade } = data as { grade?: unknown };
        if (grade === undefined) return [{ message: 'required', path: ['grade'] }];
        return typeof grade === 'string' ? { grade } : [{ message: 'a text', path: ['grade'] }];
      }),
    }),
  ]);

  it('gives the version of the schema', async () => {
    expect((await bench.publisher({ catalogue }).publish(graded)).version).toBe(2);
  });

  it('refuses data of a wrong type', async () => {
    const publisher = bench.publisher({ catalogue });
    const wrong = { type: 'item.graded', data: { grade: 7 } };
    await expect(publisher.publish(wrong)).rejects.toThrow(/^PAYLOAD_INVALID: .*data\.grade/);
    expect(await bench.stored()).toEqual([]);
  });

  it('names missing key data and unknown types once, and lets them pass', async () => {
    const publisher = bench.publisher({ catalogue });
    for (const draft of [
      { type: 'item.graded', data: {} },
      { type: 'item.graded', data: {} },
      { type: 'item.lost', data: {} },
      { type: 'item.lost', data: {} },
    ]) {
      await publisher.publish(draft);
    }
    expect((await bench.stored()).length).toBe(4);
    expect(bench.seen.of('warning').map(({ code, message }) => [code, message])).toEqual([
      ['KEY_DATA_MISSING', expect.stringContaining('without data.grade')],
      ['TYPE_NOT_IN_CATALOGUE', expect.stringContaining('item.lost is not in the catalogue')],
    ]);
  });

  it('says nothing of what was said to be silenced', async () => {
    const silence = ['KEY_DATA_MISSING', 'TYPE_NOT_IN_CATALOGUE'];
    const publisher = bench.publisher({ catalogue, silence });
    await publisher.publish({ type: 'item.graded', data: {} });
    await publisher.publish({ type: 'item.lost', data: {} });
    expect(bench.seen.of('warning')).toEqual([]);
  });

  it('knows a type by its pattern, also when it is strict', async () => {
    const sagas = new Catalogue([
      defineEventPattern({
        pattern: 'saga.*.started',
        version: 2,
        description: 'A saga began',
        owner: 'tests',
        upcasters: { 1: (data) => data },
        schema: schemaOf((data) =>
          (data as { sagaId?: string }).sagaId ? data : [{ message: 'required', path: ['sagaId'] }],
        ),
      }),
    ]);
    const publisher = bench.publisher({ catalogue: sagas, strict: true });
    const type = 'saga.OrderFulfillment.started';
    expect((await publisher.publish({ type, data: { sagaId: 's-1' } })).version).toBe(2);
    await expect(publisher.publish({ type, data: {} })).rejects.toThrow(/^PAYLOAD_INVALID/);
    await expect(publisher.publish({ type: 'saga.ended', data: {} })).rejects.toThrow(
      /^TYPE_UNKNOWN/,
    );
    expect(bench.seen.of('warning')).toEqual([]);
  });

  it('refuses both when it is strict', async () => {
    const publisher = bench.publisher({ catalogue, strict: true });
    await expect(publisher.publish({ type: 'item.graded', data: {} })).rejects.toThrow(
      /^PAYLOAD_INVALID/,
    );
    await expect(publisher.publish({ type: 'item.lost', data: {} })).rejects.toThrow(
      /^TYPE_UNKNOWN/,
    );
  });
});
