import { describe, expect, it } from 'vitest';

import { ReadSize } from './read-size.ts';

describe('the size of a read', () => {
  it('is what there is room for, up to half of what may be in flight', () => {
    expect(new ReadSize(1_000).count(300, 1)).toBe(300);
    expect(new ReadSize(1_000).count(900, 1)).toBe(500);
    expect(new ReadSize(400).count(400, 1)).toBe(200);
  });

  it('is at least one, and not halved where little may be in flight', () => {
    expect(new ReadSize(1).count(1, 1)).toBe(1);
    expect(new ReadSize(60).count(60, 1)).toBe(50);
    expect(new ReadSize(20).count(20, 1)).toBe(20);
  });

  it('is shared among the streams that had something the last time', () => {
    const size = new ReadSize(100);
    size.note({ streams: 4, entries: 8, size: 800 });
    expect(size.count(40, 10)).toBe(10);
  });

  it('becomes small when entries are large', () => {
    const size = new ReadSize(1_000);
    size.note({ streams: 1, entries: 2, size: 8 * 1024 * 1024 });
    expect(size.count(1_000, 1)).toBe(2);
    expect(size.count(1_000, 4)).toBe(1);
  });
});
