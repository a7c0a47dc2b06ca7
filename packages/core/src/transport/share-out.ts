/** Something to read in one partition. */
export interface Available<Partition = number> {
  readonly partition: Partition;
  readonly from: bigint;
  readonly available: number;
}

/** A part of a partition to read: up to `take` records from an offset on. */
export interface Range<Partition = number> {
  readonly partition: Partition;
  readonly from: bigint;
  readonly take: number;
}

/**
 * Divides the room for deliveries among partitions, as evenly as they can use it.
 *
 * @param turn Changes from call to call, so that with little room every partition gets its turn.
 * @returns Ranges that sum up to `room` at most.
 */
export function shareOut<Partition>(
  ready: readonly Available<Partition>[],
  room: number,
  turn: number,
): Range<Partition>[] {
  const start = ready.length > 0 ? turn % ready.length : 0;
  const inTurn = [...ready.slice(start), ...ready.slice(0, start)];
  const takes = new Map<Partition, number>();
  for (let left = room; left > 0;) {
    const hungry = inTurn.filter(
      ({ partition, available }) => (takes.get(partition) ?? 0) < available,
    );
    if (hungry.length === 0) break;
    const share = Math.max(Math.floor(left / hungry.length), 1);
    for (const { partition, available } of hungry) {
      const taken = takes.get(partition) ?? 0;
      const more = Math.min(share, available - taken, left);
      takes.set(partition, taken + more);
      left -= more;
    }
  }
  return inTurn
    .map(({ partition, from }) => ({ partition, from, take: takes.get(partition) ?? 0 }))
    .filter(({ take }) => take > 0);
}
