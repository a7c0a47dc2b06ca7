import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCents, readId, readMoment, readQuantity, readText } from './cells.ts';

describe('readCents', () => {
  it.each([
    ['12.5', 1250],
    ['$1,299.99', 129_999],
    ['$ 5', 500],
    ['0', 0],
    ['0.07', 7],
    ['1000000.00', 100_000_000],
  ])('takes %s', (cell, value) => {
    expect(readCents(cell)).toEqual({ value });
  });

  it.each(['', '-5', '1.999', '12,50', '1,29.99', 'call us', '1e3', '5 €', 'NaN', '١٢'])(
    'refuses %j and says what it wants',
    (cell) => {
      expect(readCents(cell)).toEqual({
        reason: `must be an amount such as 1,299.99, got ${JSON.stringify(cell)}`,
      });
    },
  );

  it('refuses more than a million', () => {
    expect(readCents('1,000,000.01')).toMatchObject({ reason: expect.stringContaining('above') });
  });

  it('gets every amount back to the cent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000_000 }), (cents) => {
        expect(readCents((cents / 100).toFixed(2))).toEqual({ value: cents });
        const grouped = (cents / 100).toLocaleString('en-US', { minimumFractionDigits: 2 });
        expect(readCents(`$${grouped}`)).toEqual({ value: cents });
      }),
    );
  });
});

describe('readQuantity', () => {
  it.each([
    ['1', 1],
    ['2.0', 2],
    ['1000', 1000],
  ])('takes %s', (cell, value) => {
    expect(readQuantity(cell)).toEqual({ value });
  });

  it.each(['', '0', '-1', '1.5', '1001', '99999', 'two', '0x10'])('refuses %j', (cell) => {
    expect(readQuantity(cell)).toMatchObject({
      reason: expect.stringContaining('from 1 to 1,000'),
    });
  });
});

describe('readMoment', () => {
  it.each([
    ['2026-02-03', '2026-02-03T00:00:00.000Z'],
    ['2026-02-03 14:05', '2026-02-03T14:05:00.000Z'],
    ['2026-02-03T14:05:09+02:00', '2026-02-03T12:05:09.000Z'],
    ['2028-02-29T00:00:00.5Z', '2028-02-29T00:00:00.500Z'],
  ])('takes %s', (cell, value) => {
    expect(readMoment(cell)).toEqual({ value });
  });

  it.each([
    '',
    '2026-02-31',
    '2026-13-01',
    '02/03/2026',
    '2026-02-03T25:00',
    'soon',
    '2026-02-03Z',
  ])('refuses %j', (cell) => {
    expect(readMoment(cell)).toMatchObject({ reason: expect.stringContaining('such as 2026') });
  });
});

describe('readText', () => {
  it.each([
    ['nothing', '', 'is empty'],
    ['too much', 'x'.repeat(201), 'longer than 200'],
    ['bytes of another encoding', 'caf\uFFFD', 'UTF-8'],
    ['a null character, which PostgreSQL cannot keep', 'a\u0000b', 'control character'],
    ['a line break', 'a\nb', 'line break'],
  ])('refuses %s', (_, cell, reason) => {
    expect(readText(cell)).toMatchObject({ reason: expect.stringContaining(reason) });
  });

  it('keeps ids short enough for the events that are made of them', () => {
    expect(readId('x'.repeat(60))).toEqual({ value: 'x'.repeat(60) });
    expect(readId('x'.repeat(61))).toMatchObject({ reason: 'is longer than 60 characters' });
    expect(readId('/'.repeat(21))).toMatchObject({ reason: 'is longer than 60 characters' });
  });
});
