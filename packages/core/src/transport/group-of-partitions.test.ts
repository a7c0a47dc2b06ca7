import { describe, expect, it } from 'vitest';

import { groupOfPartitions } from './group-of-partitions.ts';
import type { PartitionInspection } from './transport-inspection.ts';

function part(partition: number, given: Partial<PartitionInspection> = {}): PartitionInspection {
  const none = { position: 0, end: 0, pending: 0, lag: 0, lagSeconds: 0, member: undefined };
  return { partition, ...none, ...given };
}

describe('a group, from its partitions', () => {
  it('adds up what is pending and what is not delivered, and is as late as the latest of them', () => {
    const partitions = [
      part(0, { pending: 2, lag: 1, lagSeconds: 4 }),
      part(1, { pending: 1, lag: 5, lagSeconds: 9 }),
    ];
    expect(groupOfPartitions('billing', partitions)).toEqual({
      name: 'billing',
      pending: 3,
      lag: 6,
      lagSeconds: 9,
      consumers: 0,
      members: [],
      partitions,
    });
  });

  it('has as members whoever has a partition, each with what it holds', () => {
    const { consumers, members } = groupOfPartitions('billing', [
      part(0, { member: 'one', pending: 2 }),
      part(1, { member: 'two', pending: 1 }),
      part(2, { member: 'one', pending: 4 }),
      part(3, { pending: 8 }),
    ]);
    expect(consumers).toBe(2);
    expect(members).toEqual([
      { name: 'one', pending: 6 },
      { name: 'two', pending: 1 },
    ]);
  });

  it('does not say how late it is where no partition does', () => {
    const { lagSeconds } = groupOfPartitions('billing', [part(0, { lagSeconds: undefined })]);
    expect(lagSeconds).toBeUndefined();
  });
});
