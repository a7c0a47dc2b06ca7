import { SalesEvents } from '@quickwms/events';
import { reserveCentsOf } from '../decisions/decide-price.ts';
import { fact, toCents, toMoney } from './fact.ts';
import { listedUnit, placedBid, wonBid } from './facts.ts';
import { insert } from './insert.ts';
import type { Service } from './service.ts';

/** Opens an auction for every unit that goes under the hammer, and counts the bids until it closes. */
export const quickAuctionz: Service = {
  name: 'quickauctionz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickauctionz_auction (
      auction_id    TEXT PRIMARY KEY,
      item_id       TEXT NOT NULL UNIQUE,
      reserve_cents INTEGER NOT NULL,
      expected_bids INTEGER NOT NULL,
      bids          INTEGER NOT NULL DEFAULT 0,
      winning_bid   TEXT
    );`,

  register({ publisher, subscriber }) {
    subscriber.on(
      SalesEvents.ITEM_LISTED,
      async ({ data: unit }, { tx }) => {
        const { itemId, qlid, price, sale } = unit;
        if (sale.by !== 'auction') return;
        const auctionId = `AUCTION-${itemId}`;
        const reserveCents = reserveCentsOf(toCents(price));
        await insert(tx, 'quickauctionz_auction', {
          auction_id: auctionId,
          item_id: itemId,
          reserve_cents: reserveCents,
          expected_bids: sale.bidCount,
        });
        const at = { subject: auctionId, qlid, by: 'quickauctionz' };
        const auction = { auctionId, itemIds: [itemId], itemId, qlid };
        const reservePrice = toMoney(reserveCents);
        await publisher.publishBatch([
          fact(SalesEvents.AUCTION_CREATED, at, {
            ...auction,
            startTime: sale.opensAt,
            reservePrice,
          }),
          fact(SalesEvents.AUCTION_STARTED, at, {
            ...auction,
            startedAt: sale.opensAt,
            reservePrice,
          }),
        ]);
      },
      { schema: listedUnit },
    );

    subscriber.on(
      SalesEvents.BID_PLACED,
      async ({ data: { auctionId } }, { tx }) => {
        await tx.query('UPDATE quickauctionz_auction SET bids = bids + 1 WHERE auction_id = $1', [
          auctionId,
        ]);
      },
      { schema: placedBid },
    );

    subscriber.on(
      SalesEvents.BID_WON,
      async ({ data: { auctionId, bidId } }, { tx }) => {
        await tx.query('UPDATE quickauctionz_auction SET winning_bid = $2 WHERE auction_id = $1', [
          auctionId,
          bidId,
        ]);
      },
      { schema: wonBid },
    );
  },
};
