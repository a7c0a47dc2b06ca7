/** Two ids of entries between which everything is gone; without `after`, `until` alone. */
interface LostRange {
  readonly after?: string;
  readonly until: string;
}

/** Says whether one of the ranges has an entry in it. */
export function isWithin(position: string, ranges: readonly LostRange[]): boolean {
  return ranges.some(({ after, until }) => {
    if (after === undefined) return position === until;
    return isBehind(position, after) && !isBehind(position, until);
  });
}

function isBehind(id: string, other: string): boolean {
  const [time, sequence] = partsOf(id);
  const [otherTime, otherSequence] = partsOf(other);
  return time === otherTime ? sequence > otherSequence : time > otherTime;
}

function partsOf(id: string): [time: bigint, sequence: bigint] {
  const [time = '', sequence = '0'] = id.split('-');
  return [BigInt(time), BigInt(sequence)];
}
