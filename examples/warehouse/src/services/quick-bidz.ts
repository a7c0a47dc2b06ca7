import { SalesEvents, type SqlTransaction } from '@quickwms/events';
import { decideWinner } from '../decisions/decide-buyer.ts';
import { fact, toCents, toMoney } from './fact.ts';
import { placedBid, startedAuction } from './facts.ts';
import type { Service } from './service.ts';

/** Brings the bids that were registered into their auctions, and finds the winner when all have arrived. */
export const quickBidz: Service = {
  name: 'quickbidz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickbidz_bid (
      bid_id        TEXT PRIMARY KEY,
      item_id       TEXT NOT NULL,
      bidder_id     TEXT NOT NULL,
      amount_cents  INTEGER NOT NULL,
      placed_at     TEXT NOT NULL,
      auction_id    TEXT,
      reserve_cents INTEGER,
      arrived       BOOLEAN NOT NULL DEFAULT false,
      won           BOOLEAN NOT NULL DEFAULT false
    );
    CREATE INDEX IF NOT EXISTS quickbidz_bid_item ON quickbidz_bid (item_id);`,

  register({ publisher, subscriber }) {
    subscriber.on(
      SalesEvents.AUCTION_STARTED,
      async ({ data: { auctionId, itemId, qlid, reservePrice } }, { tx }) => {
        const { rows: bids } = await tx.query<Bid>(
          `UPDATE quickbidz_bid SET auction_id = $2, reserve_cents = $3 WHERE item_id = $1 RETURNING *`,
          [itemId, auctionId, toCents(reservePrice)],
        );
        await publisher.publishBatch(
          bids
            .toSorted(byTime)
            .map((bid) =>
              fact(
                SalesEvents.BID_PLACED,
                { subject: auctionId, qlid, by: bid.bidder_id },
                { ...bidData(bid), amount: toMoney(bid.amount_cents), qlid },
              ),
            ),
        );
      },
      { schema: startedAuction },
    );

    subscriber.on(
      SalesEvents.BID_PLACED,
      async ({ data: { auctionId, bidId, qlid } }, { tx }) => {
        await lockBids(tx, auctionId);
        await tx.query('UPDATE quickbidz_bid SET arrived = true WHERE bid_id = $1', [bidId]);
        const winner = await findWinner(tx, auctionId);
        if (!winner) return;
        await tx.query('UPDATE quickbidz_bid SET won = true WHERE bid_id = $1', [winner.bid_id]);
        await publisher.publish(
          fact(
            SalesEvents.BID_WON,
            { subject: auctionId, qlid, by: winner.bidder_id },
            { ...bidData(winner), winningAmount: toMoney(winner.amount_cents), qlid },
          ),
        );
      },
      { schema: placedBid },
    );
  },
};

interface Bid {
  bid_id: string;
  item_id: string;
  bidder_id: string;
  amount_cents: number;
  placed_at: string;
  auction_id: string;
  reserve_cents: number;
  arrived: boolean;
}

function byTime(one: Bid, other: Bid): number {
  return one.placed_at < other.placed_at ? -1 : 1;
}

/**
 * Lets the bids of an auction arrive one at a time. The bus does so, too, but not where a former process of
 * this service still has one in hand: then neither would see the other, and nobody would win.
 */
async function lockBids(tx: SqlTransaction, auctionId: string): Promise<void> {
  await tx.query('SELECT FROM quickbidz_bid WHERE auction_id = $1 ORDER BY bid_id FOR UPDATE', [
    auctionId,
  ]);
}

/** The winning bid, once every bid of the auction has arrived. */
async function findWinner(tx: SqlTransaction, auctionId: string): Promise<Bid | undefined> {
  const { rows: bids } = await tx.query<Bid>('SELECT * FROM quickbidz_bid WHERE auction_id = $1', [
    auctionId,
  ]);
  if (!bids.every(({ arrived }) => arrived)) return undefined;
  const wishes = bids.map((bid) => ({
    bid,
    reference: bid.bid_id,
    placedAt: bid.placed_at,
    amountCents: bid.amount_cents,
  }));
  return decideWinner(wishes, bids[0]!.reserve_cents)?.bid;
}

function bidData(bid: Bid) {
  const { bid_id: bidId, auction_id: auctionId, item_id: itemId, bidder_id: bidderId } = bid;
  return { bidId, auctionId, itemId, bidderId, placedAt: bid.placed_at };
}
