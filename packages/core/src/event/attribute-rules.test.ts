import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isTimestamp, isUri, isUriReference } from './attribute-rules.ts';

describe('timestamps', () => {
  it('are every instant that JavaScript writes, in years that PostgreSQL knows', () => {
    const years = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z') };
    fc.assert(
      fc.property(fc.date({ ...years, noInvalidDate: true }), (date) => {
        expect(isTimestamp(date.toISOString())).toBe(true);
      }),
    );
  });

  it('are on a day that exists', () => {
    const numbers = fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.nat(13), fc.nat(32));
    fc.assert(
      fc.property(numbers, ([year, month, day]) => {
        const pad = (value: number, length: number): string => String(value).padStart(length, '0');
        const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
        const parsed = new Date(`${date}T12:00:00Z`);
        const exists = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
        expect(isTimestamp(`${date}T12:00:00Z`)).toBe(exists);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    '2026-01-31T12:00:00Z',
    '2026-01-31t12:00:00.123456789z',
    '2026-01-31T12:00:00+05:45',
    '2024-02-29T23:59:59-23:59',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
  ])('may be %s', (time) => {
    expect(isTimestamp(time)).toBe(true);
  });

  it.each([
    '2026-01-31T12:00:00',
    '2026-01-31',
    '2026-01-31 12:00:00Z',
    '2026-01-31T12:00Z',
    '2026-01-31T24:00:00Z',
    '2026-06-30T23:59:60Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-31T12:00:00.Z',
    '2026-01-31T12:00:00+0545',
    '2026-01-31T12:00:00+24:00',
    '2026-01-31T12:00:00Z\n',
    '10000-01-01T00:00:00Z',
    '+010000-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    'yesterday',
    '',
    1_769_860_800_000,
    new Date(0),
    null,
  ])('may not be %s', (time) => {
    expect(isTimestamp(time)).toBe(false);
  });
});

describe('URI references', () => {
  it.each([
    'https://example.com:8080/a/b?c=d&e=/?#f/?',
    'https://user:pw@[2001:db8::1]:80/',
    'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66',
    'mailto:cncf-wg@lists.cncf.io',
    'file:///etc/hosts',
    'a:',
  ])('may be the URI %s', (uri) => {
    expect(isUri(uri)).toBe(true);
    expect(isUriReference(uri)).toBe(true);
  });

  it.each([
    'quickgradez',
    '/sensors/tn-1/alerts',
    'a/b:c',
    '//host/path',
    '?q',
    '#f',
    'a%20b',
    './a:b',
  ])('may be the relative reference %s', (reference) => {
    expect(isUri(reference)).toBe(false);
    expect(isUriReference(reference)).toBe(true);
  });

  it.each([
    '',
    'a b',
    'a\\b',
    'a"b',
    '%',
    '%g0',
    '1:a',
    ':a',
    'a[b]',
    'http://[::1',
    'a#b#c',
    'ä',
    'a\n',
  ])('may not be %j', (text) => {
    expect(isUriReference(text)).toBe(false);
  });
});
