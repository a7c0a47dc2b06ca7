import { readCents, readId, readQuantity, readText } from './cells.ts';
import { findColumns, type ColumnNames } from './columns.ts';
import { readCsv, type Reject } from './read-csv.ts';
import { optional, readFields } from './read-fields.ts';
import type { ManifestLine } from './unit.ts';

const readers = {
  lot: readId,
  item: readId,
  upc: optional(readId),
  brand: optional(readText),
  description: readText,
  category: readText,
  condition: readText,
  quantity: readQuantity,
  unitRetailCents: readCents,
  consignor: optional(readId),
  client: optional(readId),
};

const names: ColumnNames<keyof typeof readers> = {
  lot: ['lot', 'lot id', 'lot number', 'lot no', 'load id'],
  item: ['item', 'item number', 'item id', 'item no', 'line item'],
  upc: ['upc', 'upc code', 'ean', 'gtin', 'barcode'],
  brand: ['brand', 'brand name', 'manufacturer', 'vendor'],
  description: ['description', 'item description', 'product description', 'title', 'product name'],
  category: ['category', 'product category', 'department', 'dept'],
  condition: ['condition', 'item condition', 'product condition'],
  quantity: ['quantity', 'qty', 'units'],
  unitRetailCents: ['unit retail', 'unit retail price', 'retail price', 'msrp', 'unit price'],
  consignor: ['consignor', 'consignor id'],
  client: ['client', 'client id', '3pl client'],
};

/** What a manifest lists, and which of its lines are not used. */
export interface Manifest {
  readonly lines: readonly ManifestLine[];
  readonly rejects: readonly Reject[];
}

/**
 * Reads a manifest in the column style of liquidation marketplaces.
 *
 * @throws {InputError} If a column is missing.
 */
export function readManifest(bytes: Buffer): Manifest {
  const file = readCsv(bytes);
  const columns = findColumns(file.header, names, ['upc', 'brand', 'consignor', 'client']);
  const known = new KnownLines();
  const lines: ManifestLine[] = [];
  const rejects: Reject[] = [...file.rejects];
  for (const row of file.rows) {
    const record = readFields(row, columns, readers);
    const line = 'values' in record ? { ...record.values, line: row.line } : undefined;
    const wrong = line ? known.objectionTo(line) : undefined;
    if ('rejects' in record) rejects.push(...record.rejects);
    else if (wrong)
      rejects.push({ line: row.line, field: columns.titleOf(wrong.field), reason: wrong.reason });
    else if (line) lines.push(known.add(line));
  }
  return { lines, rejects: rejects.sort((one, other) => one.line - other.line) };
}

interface Objection {
  readonly field: keyof typeof readers;
  readonly reason: string;
}

/** What earlier lines have settled: which items there are, and whose goods a lot holds. */
class KnownLines {
  readonly #lineOf = new Map<string, number>();
  readonly #firstOfLot = new Map<string, ManifestLine>();

  objectionTo(line: ManifestLine): Objection | undefined {
    const earlier = this.#lineOf.get(JSON.stringify([line.lot, line.item]));
    if (earlier !== undefined) {
      return {
        field: 'item',
        reason: `${line.item} is in lot ${line.lot} already, at line ${earlier}`,
      };
    }
    if (line.consignor !== undefined && line.client !== undefined) {
      return { field: 'client', reason: 'goods are either on consignment or a client’s, not both' };
    }
    return this.#ownerObjection(line);
  }

  add(line: ManifestLine): ManifestLine {
    this.#lineOf.set(JSON.stringify([line.lot, line.item]), line.line);
    if (!this.#firstOfLot.has(line.lot)) this.#firstOfLot.set(line.lot, line);
    return line;
  }

  #ownerObjection(line: ManifestLine): Objection | undefined {
    const first = this.#firstOfLot.get(line.lot);
    if (!first) return undefined;
    const field = (['consignor', 'client'] as const).find((each) => line[each] !== first[each]);
    if (!field) return undefined;
    const reason = `lot ${line.lot} is ${describeOwner(first)} by line ${first.line}; a lot has one owner`;
    return { field, reason };
  }
}

function describeOwner({ consignor, client }: ManifestLine): string {
  if (consignor !== undefined) return `on consignment from ${consignor}`;
  return client === undefined ? 'our own' : `stored for ${client}`;
}
