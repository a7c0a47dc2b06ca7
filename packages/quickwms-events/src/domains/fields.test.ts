import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { currency, day, id, itemIds, money, qlid, texts, timestamp, url } from './fields.ts';

const takes = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success;

describe('money', () => {
  const amount = money('Price');

  it('takes every amount that is a whole number of cents', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000_000_000 }), (cents) =>
        takes(amount, cents / 100),
      ),
    );
  });

  it('refuses every amount with more decimals', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000_000_000 }),
        fc.integer({ min: 1, max: 9 }),
        (cents, mill) =>
          !takes(
            amount,
            Number(`${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}${mill}`),
          ),
      ),
    );
  });

  it.each([0.1 + 0.2, 1.1 * 3, -0.01, NaN, Infinity, 1e13, '12.50', 12n])('refuses %s', (value) => {
    expect(takes(amount, value)).toBe(false);
  });

  it('says what to do about a float that lost its cents', () => {
    expect(amount.safeParse(0.1 + 0.2).error?.issues[0]?.message).toContain(
      'round it before publishing',
    );
  });
});

describe('id', () => {
  const item = id('Item');

  it('takes any text of 1 to 255 characters', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 255 }), (value) => takes(item, value)),
    );
  });

  it.each(['', 'x'.repeat(256), 7])('refuses %s', (value) => {
    expect(takes(item, value)).toBe(false);
  });
});

describe('qlid', () => {
  it('takes every text of nine digits', () => {
    const digits = fc.integer({ min: 0, max: 999_999_999 }).map((n) => String(n).padStart(9, '0'));
    fc.assert(fc.property(digits, (value) => takes(qlid(), value)));
  });

  it.each([
    '12345678',
    '1234567890',
    '12345678a',
    '123456789\n',
    ' 123456789',
    '१२३४५६७८९',
    123456789,
  ])('refuses %j', (value) => {
    expect(takes(qlid(), value)).toBe(false);
  });
});

describe('timestamp', () => {
  it('takes what Date writes', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date(0),
          max: new Date('9999-12-31T23:59:59.999Z'),
          noInvalidDate: true,
        }),
        (date) => takes(timestamp('When'), date.toISOString()),
      ),
    );
  });

  it.each(['2026-02-09T08:30:00Z', '2026-02-09T10:30:00.123456+02:00'])('takes %s', (value) => {
    expect(takes(timestamp('When'), value)).toBe(true);
  });

  it.each([
    '2026-02-09T08:30:00',
    '2026-02-30T08:30:00Z',
    '2026-02-09',
    'yesterday',
    1770625800000,
  ])('refuses %s', (value) => {
    expect(takes(timestamp('When'), value)).toBe(false);
  });
});

describe('day', () => {
  it.each(['2026-02-28', '2028-02-29', '2025-11-01T00:00:00Z'])('takes %s', (value) => {
    expect(takes(day('Due'), value)).toBe(true);
  });

  it.each(['2026-02-29', '28.02.2026', '2026-2-8'])('refuses %s', (value) => {
    expect(takes(day('Due'), value)).toBe(false);
  });
});

describe('url', () => {
  it.each(['https://example.com/a?b=c#d', 'http://localhost:3000'])('takes %s', (value) => {
    expect(takes(url('Link'), value)).toBe(true);
  });

  it.each([
    'javascript:alert(1)',
    ' https://example.com',
    'https://',
    'https://a b',
    '/relative',
    `https://${'x'.repeat(2048)}`,
  ])('refuses %j', (value) => {
    expect(takes(url('Link'), value)).toBe(false);
  });
});

describe('currency', () => {
  it.each([
    ['USD', true],
    ['usd', false],
    ['$', false],
    ['EURO', false],
  ])('of %s is taken: %s', (value, taken) => {
    expect(takes(currency(), value)).toBe(taken);
  });
});

describe('lists', () => {
  it('name at least one item and at most 10,000', () => {
    const items = itemIds('Items');
    expect(
      [0, 1, 10_000, 10_001].map((length) => takes(items, Array(length).fill('item-1'))),
    ).toEqual([false, true, true, false]);
  });

  it('of texts may be empty', () => {
    expect(takes(texts('Issues'), [])).toBe(true);
    expect(takes(texts('Issues'), [''])).toBe(false);
    expect(takes(texts('Issues'), Array(1_001).fill('scratch'))).toBe(false);
  });
});
