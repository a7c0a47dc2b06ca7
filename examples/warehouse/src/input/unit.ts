import { createHash } from 'node:crypto';

/** What one line of a manifest says about a product. */
export interface ManifestLine {
  /** Line in the file, counted from 1. */
  readonly line: number;
  readonly lot: string;
  readonly item: string;
  readonly upc: string | undefined;
  readonly brand: string | undefined;
  readonly description: string;
  readonly category: string;
  readonly condition: string;
  readonly quantity: number;
  readonly unitRetailCents: number;
  /** Whose goods these are, when they are sold on commission. */
  readonly consignor: string | undefined;
  /** Whose goods these are, when they are only stored for somebody. */
  readonly client: string | undefined;
}

/** One thing that can be picked up and sold: a line of quantity 3 stands for three of them. */
export interface Unit {
  /** Lot, item and number of the unit, such as `LOT-001/17/2`. */
  readonly itemId: string;
  /** Nine digits, the same in every run over the same manifest. */
  readonly qlid: string;
  readonly product: ManifestLine;
}

/** The id of a unit; a lot or an item whose name has a slash in it stays distinct. */
export function itemIdOf(lot: string, item: string, unitNumber: number): string {
  const safe = (name: string) => name.replaceAll('%', '%25').replaceAll('/', '%2F');
  return `${safe(lot)}/${safe(item)}/${unitNumber}`;
}

/** Makes the units of a manifest, in its order. */
export function unitsOf(lines: readonly ManifestLine[]): Unit[] {
  const taken = new Set<string>();
  return lines.flatMap((product) =>
    Array.from({ length: product.quantity }, (_, index) => {
      const itemId = itemIdOf(product.lot, product.item, index + 1);
      return { itemId, qlid: freeQlid(itemId, taken), product };
    }),
  );
}

const firstQlid = 100_000_000;
const qlidCount = 900_000_000;

/** Nine digits made from the id; where two units meet, the later one gets the next free number. */
function freeQlid(itemId: string, taken: Set<string>): string {
  const hash = createHash('sha256').update(itemId).digest().readUInt32BE();
  for (let step = 0; ; step += 1) {
    const qlid = String(firstQlid + ((hash + step) % qlidCount));
    if (taken.has(qlid)) continue;
    taken.add(qlid);
    return qlid;
  }
}
