/** Beyond this share of its length, a name is another one and no slip of the pen. */
const maxSlips = 1 / 4;

/**
 * Finds what somebody may have meant by a type, or by a pattern, that nobody has described.
 *
 * @param pattern E.g. `item.recieved` or `itm.*`.
 * @param known Types and patterns that are described.
 * @returns E.g. `item.received` or `item.*`; `undefined` if nothing is near.
 */
export function nearestType(pattern: string, known: readonly string[]): string | undefined {
  const segments = pattern.split('.');
  const candidates = new Set(known.map((name) => inShapeOf(segments, name.split('.'))));
  let nearest: string | undefined;
  let fewest = Math.max(2, Math.floor(pattern.length * maxSlips)) + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(pattern, candidate);
    if (slips >= fewest) continue;
    fewest = slips;
    nearest = candidate;
  }
  return nearest;
}

/** A name with a `*` wherever the pattern has one: `item.received` is `item.*` in the shape of `itm.*`. */
function inShapeOf(pattern: readonly string[], name: readonly string[]): string {
  const isOpen = pattern.at(-1) === '*';
  const length = isOpen ? Math.min(name.length, pattern.length) : name.length;
  const shaped = name.slice(0, length).map((part, index) => (pattern[index] === '*' ? '*' : part));
  return shaped.join('.');
}

/** How many letters to add, leave out, change or swap with their neighbour: the distance of Damerau and Levenshtein. */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
