import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import type { Handler } from './handler.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

describe('a mistake of the caller', () => {
  it.each<Record<string, unknown>>([
    { concurrency: 0 },
    { concurrency: -1 },
    { concurrency: 1.5 },
    { concurrency: 10_001 },
    { concurrency: NaN },
    { maxInFlight: 0 },
    { timeoutMs: 0 },
    { timeoutMs: 2 ** 31 },
    { maxDeliveries: 0 },
    { redrivePollMs: 0 },
    { redriveLeaseMs: -1 },
    { redriveLeaseMs: NaN },
    { slowMs: -1 },
    { retry: { maxRetries: -1 } },
    { retry: { jitterFactor: 1.5 } },
    { retry: { maxRetry: 3 } },
    { start: 'newest' },
    { start: null },
    { start: 1_767_225_600_000 },
    { start: '2026-01-01T00:00:00Z' },
    { start: new Date(Number.NaN) },
    { group: '' },
    { group: 'x'.repeat(256) },
    { deadLetters: undefined },
    { concurency: 5 },
  ])('is refused at construction: %j', (wrong) => {
    expect(() => bench.group(wrong as Partial<ConsumerGroupOptions>)).toThrow(TypeError);
  });

  it('is told where a group can begin', () => {
    expect(() => bench.group({ start: new Date('soon') })).toThrow(
      "group graders: start must be 'earliest', 'latest' or a valid Date, got Invalid Date",
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ['item.*', { timeoutMs: -1 }],
    ['item.*', { timeoutMs: Infinity }],
    ['item.*', { retry: { backoffMultiplier: 0 } }],
    ['item.*', { name: '' }],
    ['item.*', { name: 'x'.repeat(256) }],
    ['item.*', { inboxx: true }],
    ['item..graded', {}],
    ['.item', {}],
    ['', {}],
    ['item.(a+)+$', {}],
    ['x'.repeat(10_000), {}],
  ])('is refused at registration: %.20s %j', (pattern, options) => {
    expect(() => bench.group().on([pattern], () => {}, options)).toThrow(TypeError);
  });

  it('is refused: no types, no function, a name twice', () => {
    const group = bench.group();
    expect(() => group.on([], () => {})).toThrow(TypeError);
    expect(() => group.on(['item.*'], 'handler' as unknown as Handler)).toThrow(TypeError);
    group.on(['item.*'], () => {}, { name: 'grade' });
    expect(() => group.on(['lot.*'], () => {}, { name: 'grade' })).toThrow(TypeError);
  });

  it('is an inbox without a database', () => {
    const group = bench.group({ transactions: undefined });
    expect(() => group.on(['item.*'], () => {}, { inbox: true })).toThrow('needs a database');
  });

  it('is a concurrency out of range, later too', () => {
    expect(() => bench.group().setConcurrency(0)).toThrow(TypeError);
  });
});
