import type { SqlTransaction } from '@quickwms/events';
import type { Demand } from '../input/demand.ts';

/**
 * Hands the orders, bids and release requests of the input to the services that serve them, as their
 * order desks would have taken them.
 */
export async function takeDemands(tx: SqlTransaction, demands: readonly Demand[]): Promise<void> {
  const of = (kind: Demand['kind']) => demands.filter((demand) => demand.kind === kind);
  await insertAll(tx, of('order'), [
    'INSERT INTO quickfulfillment_wish (order_id, item_id, buyer_id, limit_cents, placed_at)',
    'SELECT reference, item_id, party, amount_cents, placed_at',
  ]);
  await insertAll(tx, of('bid'), [
    'INSERT INTO quickbidz_bid (bid_id, item_id, bidder_id, amount_cents, placed_at)',
    'SELECT reference, item_id, party, amount_cents, placed_at',
  ]);
  await insertAll(tx, of('release'), [
    'INSERT INTO quick3plz_release (order_id, item_id, client_id, placed_at)',
    'SELECT reference, item_id, party, placed_at',
  ]);
}

async function insertAll(
  tx: SqlTransaction,
  demands: readonly Demand[],
  [insert, select]: readonly [insert: string, select: string],
): Promise<void> {
  await tx.query(
    `${insert} ${select} FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[])
     AS demand (reference, item_id, party, amount_cents, placed_at)`,
    [
      demands.map(({ reference }) => reference),
      demands.map(({ itemId }) => itemId),
      demands.map(({ party }) => party),
      demands.map(({ amountCents }) => amountCents ?? null),
      demands.map(({ placedAt }) => placedAt),
    ],
  );
}
