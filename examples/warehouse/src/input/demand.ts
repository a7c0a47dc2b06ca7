import type { Unit } from './unit.ts';

/**
 * What somebody wants of one unit: to buy it at its price, to bid for it in an auction, or, as the
 * client whose goods are stored, to have it shipped.
 */
export interface Demand {
  /** Line in the file, counted from 1. */
  readonly line: number;
  readonly kind: 'order' | 'bid' | 'release';
  /** Number of the order or bid, unique in the file. */
  readonly reference: string;
  readonly itemId: string;
  /** Buyer, bidder or client. */
  readonly party: string;
  /** Most that a buyer pays, or what a bidder bids. */
  readonly amountCents: number | undefined;
  readonly placedAt: string;
}

/** Why a demand can never be served, and which field of its line says so. */
export interface Objection {
  readonly field: 'kind' | 'reference' | 'item' | 'party' | 'amountCents';
  readonly reason: string;
}

/** Finds the demands that look right by themselves and contradict the rest of the input, by line. */
export function findObjections(
  demands: readonly Demand[],
  units: readonly Unit[],
): Map<number, Objection> {
  const stock = new Map(units.map((unit) => [unit.itemId, unit]));
  const references = new Map<string, number>();
  const objections = new Map<number, Objection>();
  for (const demand of demands) {
    const { line, reference } = demand;
    const earlier = references.get(reference);
    const objection = earlier ? repeated(demand, earlier) : objectionTo(demand, stock);
    if (objection) objections.set(line, objection);
    references.set(reference, earlier ?? line);
  }
  objectToOrdersForAuctions(demands, objections);
  return objections;
}

function repeated({ reference }: Demand, earlier: number): Objection {
  return { field: 'reference', reason: `${reference} is used at line ${earlier} already` };
}

function objectionTo(demand: Demand, stock: ReadonlyMap<string, Unit>): Objection | undefined {
  const { kind, itemId, party, amountCents } = demand;
  const unit = stock.get(itemId);
  if (!unit) return { field: 'item', reason: `there is no unit ${itemId} on the manifest` };
  const { client } = unit.product;
  if (kind === 'release' && client !== party) {
    return { field: 'party', reason: `${itemId} is not stored for ${party}` };
  }
  if (kind !== 'release' && client !== undefined) {
    return { field: 'item', reason: `${itemId} is stored for ${client} and not for sale` };
  }
  if (kind === 'bid' && !amountCents)
    return { field: 'amountCents', reason: 'a bid needs an amount' };
  return undefined;
}

/** One bid is enough to put a unit under the hammer; it has no price then at which it could be ordered. */
function objectToOrdersForAuctions(
  demands: readonly Demand[],
  objections: Map<number, Objection>,
): void {
  const served = demands.filter(({ line }) => !objections.has(line));
  const bids = served.filter(({ kind }) => kind === 'bid');
  const bidLines = new Map(bids.map(({ itemId, line }) => [itemId, line]));
  for (const { kind, itemId, line } of served) {
    const bidLine = bidLines.get(itemId);
    if (kind !== 'order' || bidLine === undefined) continue;
    const reason = `${itemId} goes under the hammer: line ${bidLine} bids for it`;
    objections.set(line, { field: 'kind', reason });
  }
}
