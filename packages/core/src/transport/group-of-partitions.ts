import type {
  GroupInspection,
  MemberInspection,
  PartitionInspection,
} from './transport-inspection.ts';

/**
 * A group of a log, from what is known of its partitions: sums, the oldest of the ages, and as members
 * whoever has a partition.
 */
export function groupOfPartitions(
  name: string,
  partitions: readonly PartitionInspection[],
): GroupInspection {
  const members = membersOf(partitions);
  const ages = partitions.map(({ lagSeconds }) => lagSeconds).filter((age) => age !== undefined);
  return {
    name,
    pending: sumOf(partitions, ({ pending }) => pending),
    lag: sumOf(partitions, ({ lag }) => lag),
    lagSeconds: ages.length > 0 ? Math.max(...ages) : undefined,
    consumers: members.length,
    members,
    partitions,
  };
}

function membersOf(partitions: readonly PartitionInspection[]): MemberInspection[] {
  return [...Map.groupBy(partitions, ({ member }) => member)].flatMap(([name, own]) =>
    name === undefined ? [] : [{ name, pending: sumOf(own, ({ pending }) => pending) }],
  );
}

function sumOf(
  partitions: readonly PartitionInspection[],
  of: (part: PartitionInspection) => number,
): number {
  return partitions.reduce((total, part) => total + of(part), 0);
}
