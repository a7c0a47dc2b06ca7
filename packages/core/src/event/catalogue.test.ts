import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { envelope } from '../../test/envelope.ts';
import { Catalogue, parsePayload } from './catalogue.ts';
import { defineEvent, defineEventPattern, type EventDefinition } from './event-definition.ts';
import { isEventError } from '../errors.ts';

const schema = z.object({
  itemId: z.string(),
  grade: z.enum(['A', 'B', 'C']),
  boxes: z.array(z.object({ weight: z.number() })).optional(),
});
const said = { description: 'An item was graded', owner: 'grading', schema };
const graded = defineEvent({ type: 'item.graded', ...said });
const catalogue = new Catalogue([graded]);

/** A schema that answers later, as one that asks a service would. */
function later(inner: StandardSchemaV1): StandardSchemaV1 {
  return {
    '~standard': {
      ...inner['~standard'],
      validate: async (value) => inner['~standard'].validate(value),
    },
  };
}

describe('event definitions', () => {
  it('are of version 1 unless said otherwise', () => {
    expect(graded).toMatchObject({ type: 'item.graded', version: 1, upcasters: {} });
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('cannot have the version %s', (version) => {
    expect(() => defineEvent({ type: 'item.graded', version, ...said })).toThrow(TypeError);
  });

  it('need an upcaster from every older version', () => {
    const upcasters = { 1: (data: unknown) => data };
    expect(() => defineEvent({ type: 'a.b', version: 3, upcasters, ...said })).toThrow(
      'a.b version 3 lacks an upcaster from version 2',
    );
  });
});

describe('catalogue', () => {
  it('knows its definitions, in the order of their types', () => {
    const listed = defineEvent({ type: 'item.listed', ...said });
    const known = new Catalogue([listed, graded]);
    expect(known.list()).toEqual([graded, listed]);
    expect(known.get('item.listed')).toBe(listed);
    expect(known.get('constructor')).toBeUndefined();
  });

  it('refuses a type that is defined twice', () => {
    expect(() => new Catalogue([graded, graded])).toThrow(
      'event type item.graded is defined twice',
    );
  });

  it('finds nothing wrong with valid data, and with types that it does not know', async () => {
    const nothing = { missing: [], invalid: [] };
    expect(await catalogue.check('item.graded', { itemId: 'i', grade: 'A' })).toEqual(nothing);
    expect(await catalogue.check('item.lost', { grade: 'Z' })).toEqual(nothing);
  });

  it('tells what is missing from what is wrong', async () => {
    const check = await catalogue.check('item.graded', {
      itemId: undefined,
      grade: 'Z',
      boxes: [{}, { weight: '5' }],
    });
    expect(check.missing.map(({ path }) => path)).toEqual(['itemId', 'boxes.0.weight']);
    expect(check.invalid.map(({ path }) => path)).toEqual(['grade', 'boxes.1.weight']);
  });

  it.each([
    ['null', null, ''],
    ['text', 'x', ''],
    ['null for a key', { itemId: null, grade: 'A' }, 'itemId'],
    ['null for an object that has a key', { itemId: 'i', grade: 'A', boxes: [null] }, 'boxes.0'],
  ])('calls %s wrong, not missing', async (_what, data, path) => {
    const check = await catalogue.check('item.graded', data);
    expect(check.missing).toEqual([]);
    expect(check.invalid.map((issue) => issue.path)).toEqual([path]);
  });

  it('does not take an inherited property for data that is there', async () => {
    const type = 'item.named';
    const named = defineEvent({ type, ...said, schema: z.object({ toString: z.string() }) });
    const check = await new Catalogue([named]).check(type, {});
    expect(check.missing.map(({ path }) => path)).toEqual(['toString']);
  });

  it('waits for a schema that answers later', async () => {
    const slow = defineEvent({ type: 'item.graded', ...said, schema: later(schema) });
    const check = await new Catalogue([slow]).check('item.graded', { grade: 'Z' });
    expect(check.missing.map(({ path }) => path)).toEqual(['itemId']);
    expect(check.invalid.map(({ path }) => path)).toEqual(['grade']);
  });
});

describe('a catalogue with patterns', () => {
  const define = (pattern: string) => defineEventPattern({ pattern, ...said });
  const started = define('saga.*.started');
  const orders = define('saga.Order.*');
  const all = define('saga.*');
  const own = defineEvent({ type: 'saga.Order.failed', ...said });
  const known = new Catalogue([all, own, graded, orders, started]);

  it('knows every type that matches one', async () => {
    expect(known.get('saga.Refund.started')).toBe(started);
    expect(known.get('order.started')).toBeUndefined();
    const check = await known.check('saga.Refund.started', { grade: 'Z' });
    expect(check.missing.map(({ path }) => path)).toEqual(['itemId']);
    expect(check.invalid.map(({ path }) => path)).toEqual(['grade']);
  });

  it('leaves a type to its own definition, then to the most specific pattern', () => {
    expect(known.get('saga.Order.failed')).toBe(own);
    expect(known.get('saga.Order.started')).toBe(started);
    expect(known.get('saga.Order.stopped')).toBe(orders);
    expect(known.get('saga.Refund.failed')).toBe(all);
  });

  it('lists what belongs where, in one order', () => {
    const where = known.list().map((entry) => ('pattern' in entry ? entry.pattern : entry.type));
    expect(where).toEqual([
      'item.graded',
      'saga.*',
      'saga.*.started',
      'saga.Order.*',
      'saga.Order.failed',
    ]);
  });

  it('takes a type that is spelt like a pattern for one that matches it', () => {
    expect(known.get('saga.*.started')).toBe(started);
    expect(new Catalogue([started]).get('saga.*')).toBeUndefined();
  });

  it('refuses a pattern that is defined twice, and says so as patterns do where it is malformed', () => {
    expect(() => new Catalogue([started, define('saga.*.started')])).toThrow(
      'event type saga.*.started is defined twice',
    );
    expect(() => define('saga..*')).toThrow(/^event type pattern "saga\.\.\*" must be dotted/);
    expect(() => new Catalogue([{ ...started, pattern: 'sa ga.*' }])).toThrow(
      /^event type pattern/,
    );
  });

  it('tells patterns from types', () => {
    expect(() => define('saga.Order.started')).toThrow(/defineEvent$/);
    expect(() => defineEvent({ type: 'saga.*.started', ...said })).toThrow(/defineEventPattern$/);
  });

  it('brings events up to the version of their pattern', () => {
    const upcasters = { 1: (data: unknown) => ({ ...(data as object), grade: 'B' }) };
    const second = defineEventPattern({ pattern: 'saga.*', version: 2, upcasters, ...said });
    const event = envelope({ type: 'saga.Order.started', data: { itemId: 'i' } });
    expect(new Catalogue([second]).upcast(event)).toEqual({
      ...event,
      version: 2,
      data: { itemId: 'i', grade: 'B' },
    });
  });
});

describe('upcasting', () => {
  const upcasters = {
    1: (data: unknown) => ({ ...(data as object), grade: 'B' }),
    2: (data: unknown) => ({ ...(data as object), itemId: 'i' }),
  };
  const third: EventDefinition = defineEvent({
    type: 'item.graded',
    version: 3,
    upcasters,
    ...said,
  });
  const versions = new Catalogue([third]);

  it('brings data through every version up to the current one', () => {
    const event = envelope({ version: 1, data: { note: 'x' } });
    const current = versions.upcast(event);
    expect(current).toEqual({ ...event, version: 3, data: { note: 'x', grade: 'B', itemId: 'i' } });
    expect(event.data).toEqual({ note: 'x' });
    expect(versions.upcast(envelope({ version: 2, data: {} })).data).toEqual({ itemId: 'i' });
  });

  it.each([3, 4])('leaves version %s alone', (version) => {
    const event = envelope({ version });
    expect(versions.upcast(event)).toBe(event);
  });

  it('leaves types alone that it does not know', () => {
    const event = envelope({ type: 'item.lost' });
    expect(versions.upcast(event)).toBe(event);
  });

  it('says which event an upcaster failed on, and keeps what it threw', () => {
    const cause = new Error('no grade');
    const broken = {
      1: () => {
        throw cause;
      },
    };
    const failing = new Catalogue([
      defineEvent({ type: 'item.graded', version: 2, upcasters: broken, ...said }),
    ]);
    const error = thrownBy(() => failing.upcast(envelope()));
    expect(error).toMatchObject({
      code: 'PAYLOAD_INVALID',
      message: 'PAYLOAD_INVALID: item.graded event-1: data: upcaster failed: no grade',
      retryable: false,
      cause,
    });
  });
});

describe('parsing a payload', () => {
  it("gives back the schema's output, also of a schema that answers later", async () => {
    const trimmed = z.object({ note: z.string().trim() });
    const event = envelope({ data: { note: ' x ' } });
    expect(await parsePayload(trimmed, event)).toEqual({ note: 'x' });
    expect(await parsePayload(later(trimmed), event)).toEqual({ note: 'x' });
  });

  it('refuses with every issue, and shows the first three', async () => {
    const four = z.object({ a: z.string(), b: z.string(), c: z.string(), d: z.string() });
    const error: unknown = await parsePayload(four, envelope({ data: { a: 1 } })).catch(
      (thrown: unknown) => thrown,
    );
    expect(isEventError(error, 'PAYLOAD_INVALID') && error.details.issues).toHaveLength(4);
    expect(String(error)).toMatch(/item\.graded event-1: data\.a: .*; data\.b: .*; .* and 1 more$/);
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
