import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { defaultStreamPrefix, StreamNames } from './stream-names.ts';

const names = new StreamNames('quickwms:events:');
const segments = fc.stringMatching(/^[A-Za-z0-9_-]{1,5}$/);
const types = fc.array(segments, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const patterns = fc
  .array(fc.oneof(segments, fc.constant('*')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('.'));

describe('names of streams', () => {
  it('are the prefix and the first segment of the type', () => {
    expect(names.streamOf('item.graded')).toBe('quickwms:events:item');
    expect(names.streamOf('quality.inspection.created')).toBe('quickwms:events:quality');
    expect(names.streamOf('started')).toBe('quickwms:events:started');
    expect(new StreamNames(defaultStreamPrefix).streamOf('item.graded')).toBe(
      'waybill:events:item',
    );
  });

  it('are never those of the keys beside the streams', () => {
    const { streams, openGroups } = names;
    fc.assert(
      fc.property(types, (type) => {
        expect([streams, openGroups]).not.toContain(names.streamOf(type));
      }),
    );
    expect(streams).not.toBe(openGroups);
  });

  it.each([
    [['item.graded', 'item.sold', 'bid.*'], ['item', 'bid'], false],
    [['item.*', '*.graded'], ['item'], true],
    [['*'], [], true],
    [['started'], ['started'], false],
    [['item.*.done'], ['item'], false],
  ])('of the patterns %j are %j, and perhaps others: %s', (wanted, domains, open) => {
    const named = domains.map((domain) => `quickwms:events:${domain}`);
    expect(names.streamsOf(wanted)).toEqual({ named, open });
  });

  it('of patterns are open, or all named, each once', () => {
    fc.assert(
      fc.property(fc.array(patterns, { minLength: 1 }), (wanted) => {
        const { named, open } = names.streamsOf(wanted);
        expect(open).toBe(wanted.some((pattern) => pattern.startsWith('*')));
        const closed = wanted.filter((pattern) => !pattern.startsWith('*'));
        // A pattern without a wildcard in front is itself in the stream that it asks for.
        expect(new Set(named)).toEqual(new Set(closed.map((pattern) => names.streamOf(pattern))));
        expect(new Set(named).size).toBe(named.length);
      }),
    );
  });

  it.each(['{wms}:', 'a b:', 'wms*', 'a\tb:', 'a\nb', 'a?', '[ab]', 'a\\b', `it's:`, '"wms":'])(
    'have no prefix that people would have to quote: %j',
    (prefix) => {
      expect(() => new StreamNames(prefix)).toThrow(TypeError);
      expect(() => new StreamNames(prefix)).toThrow(/^streamPrefix must/);
    },
  );

  it.each([['', 'x'.repeat(256), 'a\0b', 'a\ud800', 7, null, undefined]])(
    'have no prefix that is no text of 1 to 255 characters: %j',
    (prefix) => {
      expect(() => new StreamNames(prefix as string)).toThrow(TypeError);
    },
  );

  it('have a prefix of any script', () => {
    expect(new StreamNames('größe:☃:').streamOf('item.graded')).toBe('größe:☃:item');
  });
});
