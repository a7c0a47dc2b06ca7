/** Below every id that Redis gives. */
export const zeroId = '0-0';

/** Compares two entry ids, `<milliseconds>-<sequence>`: negative if the first is older. */
export function compareIds(a: string, b: string): number {
  const [aTime, aSequence] = partsOf(a);
  const [bTime, bSequence] = partsOf(b);
  if (aTime !== bTime) return aTime - bTime;
  return aSequence < bSequence ? -1 : aSequence > bSequence ? 1 : 0;
}

/** The younger of two ids. */
export function laterId(a: string, b: string): string {
  return compareIds(a, b) >= 0 ? a : b;
}

/** The largest id below this one. */
export function idBefore(id: string): string {
  const [time, sequence] = partsOf(id);
  if (sequence > 0n) return `${time}-${sequence - 1n}`;
  return time > 0 ? lastIdBefore(time) : zeroId;
}

/** The largest id of the milliseconds before this one; what lies above was accepted at that time or later. */
export function lastIdBefore(timeMs: number): string {
  return timeMs > 0 ? `${timeMs - 1}-18446744073709551615` : zeroId;
}

function partsOf(id: string): [time: number, sequence: bigint] {
  const dash = id.indexOf('-');
  if (dash < 0) return [Number(id), 0n];
  return [Number(id.slice(0, dash)), BigInt(id.slice(dash + 1))];
}
