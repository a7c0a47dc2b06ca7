import type { Demand } from './demand.ts';
import type { Unit } from './unit.ts';

/** The units of a manifest that came together and belong to one owner. */
export interface Lot {
  readonly lotId: string;
  readonly consignorId: string | undefined;
  readonly clientId: string | undefined;
  readonly units: readonly Unit[];
}

/** Groups units by lot, lots and units in the order of the manifest. */
export function lotsOf(units: readonly Unit[]): Lot[] {
  const lots = Map.groupBy(units, ({ product }) => product.lot);
  return [...lots].map(([lotId, members]) => {
    const { consignor, client } = members[0]!.product;
    return { lotId, consignorId: consignor, clientId: client, units: members };
  });
}

/** How a unit is to be sold. */
export type SalePlan =
  | { readonly by: 'price' }
  /** The auction opens with its first bid, and closes when `bidCount` of them have arrived. */
  | { readonly by: 'auction'; readonly bidCount: number; readonly opensAt: string };

/** Puts the units that somebody bids for under the hammer; all others have a price. */
export function planSales(demands: readonly Demand[]): (itemId: string) => SalePlan {
  const bids = demands.filter(({ kind }) => kind === 'bid');
  const bidsByItem = Map.groupBy(bids, ({ itemId }) => itemId);
  return (itemId) => {
    const placedAt = bidsByItem.get(itemId)?.map((bid) => bid.placedAt) ?? [];
    const [opensAt] = placedAt.sort();
    return opensAt ? { by: 'auction', bidCount: placedAt.length, opensAt } : { by: 'price' };
  };
}
