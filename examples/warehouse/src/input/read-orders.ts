import { readCents, readId, readMoment, readQuantity, type Cell } from './cells.ts';
import { findColumns, type ColumnNames } from './columns.ts';
import { findObjections, type Demand } from './demand.ts';
import { readCsv, type Reject } from './read-csv.ts';
import { optional, readFields, type FieldValues } from './read-fields.ts';
import { itemIdOf, type Unit } from './unit.ts';

const readers = {
  kind: readKind,
  reference: readId,
  lot: readId,
  item: readId,
  unit: optional(readQuantity),
  party: readId,
  amountCents: optional(readCents),
  placedAt: readMoment,
};

const names: ColumnNames<keyof typeof readers> = {
  kind: ['type', 'kind'],
  reference: ['reference', 'order number', 'order id', 'bid id', 'id'],
  lot: ['lot', 'lot id', 'lot number', 'lot no'],
  item: ['item', 'item number', 'item id', 'item no'],
  unit: ['unit', 'unit number'],
  party: ['buyer', 'buyer id', 'bidder', 'bidder id', 'customer', 'client'],
  amountCents: ['amount', 'bid amount', 'max price', 'price'],
  placedAt: ['placed at', 'placed', 'ordered at', 'date', 'time'],
};

/** What was asked for, and which lines ask for nothing that could be served. */
export interface Orders {
  readonly demands: readonly Demand[];
  readonly rejects: readonly Reject[];
}

/**
 * Reads orders, bids and release requests, and holds each against the units that there are.
 *
 * @throws {InputError} If a column is missing.
 */
export function readOrders(bytes: Buffer, units: readonly Unit[]): Orders {
  const file = readCsv(bytes);
  const columns = findColumns(file.header, names, ['unit', 'amountCents']);
  const chooseUnit = unitChooser();
  const demands: Demand[] = [];
  const rejects: Reject[] = [...file.rejects];
  for (const row of file.rows) {
    const record = readFields(row, columns, readers);
    if ('rejects' in record) rejects.push(...record.rejects);
    else demands.push(toDemand(row.line, record.values, chooseUnit(record.values)));
  }
  const objections = findObjections(demands, units);
  for (const [line, { field, reason }] of objections) {
    rejects.push({ line, field: columns.titleOf(field), reason });
  }
  return {
    demands: demands.filter(({ line }) => !objections.has(line)),
    rejects: rejects.sort((one, other) => one.line - other.line),
  };
}

type Record = FieldValues<typeof readers>;

function toDemand(line: number, record: Record, unitNumber: number): Demand {
  const { lot, item, kind, reference, party, amountCents, placedAt } = record;
  const itemId = itemIdOf(lot, item, unitNumber);
  return { line, kind, reference, itemId, party, amountCents, placedAt };
}

/**
 * A line that names no unit gets one by its place in the file: the first order for an item gets unit 1,
 * the second one unit 2; bids are all for unit 1. So it is the input, never a race, that settles it.
 */
function unitChooser(): (record: Record) => number {
  const given = new Map<string, number>();
  return ({ kind, lot, item, unit }) => {
    if (unit !== undefined) return unit;
    if (kind === 'bid') return 1;
    const product = JSON.stringify([kind, lot, item]);
    const next = (given.get(product) ?? 0) + 1;
    given.set(product, next);
    return next;
  };
}

function readKind(cell: string | undefined): Cell<Demand['kind']> {
  const kind = cell?.toLowerCase();
  if (kind === 'order' || kind === 'bid' || kind === 'release') return { value: kind };
  return { reason: `must be order, bid or release, got ${JSON.stringify(cell ?? '')}` };
}
