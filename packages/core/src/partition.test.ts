import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { partitionCount, partitionOf } from './partition.ts';

describe('partitions', () => {
  /** @see https://github.com/apache/kafka/blob/trunk/clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java */
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as the Java client of Kafka does', (key, hash) => {
    // With as many partitions as there are positive integers, the partition is the hash itself.
    expect(partitionOf(key, 2 ** 31)).toBe(hash & 0x7fffffff);
  });

  it('are whole numbers from 0 up to their count, the same for the same key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 100 }), (key, count) => {
        const partition = partitionOf(key, count);
        expect(Number.isInteger(partition) && partition >= 0 && partition < count).toBe(true);
        expect(partitionOf(key, count)).toBe(partition);
      }),
    );
  });

  it('are 16 unless said otherwise, and all are used', () => {
    const used = new Set(Array.from({ length: 1_000 }, (_, index) => partitionOf(`item-${index}`)));
    expect(partitionCount).toBe(16);
    expect([...used].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, index) => index),
    );
  });

  it('hash the bytes of UTF-8, not the characters', () => {
    // Characters that only differ in what their low bytes leave out.
    expect(partitionOf('\u0141', 2 ** 31)).not.toBe(partitionOf('A', 2 ** 31));
  });
});
