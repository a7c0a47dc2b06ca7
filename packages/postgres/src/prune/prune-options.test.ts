import { describe, expect, it } from 'vitest';

import { pruneSettings } from './prune-options.ts';

const dayMs = 86_400_000;

describe('what is pruned', () => {
  it('is what the guide says, unless told otherwise', () => {
    expect(pruneSettings({})).toEqual({
      everyMs: 3_600_000,
      inboxMs: 30 * dayMs,
      handoversMs: 30 * dayMs,
      deadLettersMs: Number.POSITIVE_INFINITY,
      idempotencyKeys: true,
      batchRows: 10_000,
    });
  });

  it.each([
    [{ inboxDays: 30 }, /unknown option inboxDays/],
    [{ inboxMs: -1 }, /inboxMs must be a number from 0/],
    [{ inboxMs: Number.NaN }, /inboxMs/],
    [{ inboxMs: '30' }, /inboxMs/],
    [{ everyMs: 0 }, /everyMs/],
    [{ everyMs: Number.POSITIVE_INFINITY }, /everyMs/],
    [{ batchRows: 1.5 }, /batchRows must be a whole number/],
    [{ idempotencyKeys: 'no' }, /idempotencyKeys must be true or false/],
  ])('cannot be %j', (options, message) => {
    expect(() => pruneSettings(options as never)).toThrow(message);
    expect(() => pruneSettings(options as never)).toThrow(TypeError);
  });
});
