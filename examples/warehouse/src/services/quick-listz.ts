import { OutboundEvents, ProcessingEvents, SalesEvents } from '@quickwms/events';
import { about, fact, toCents } from './fact.ts';
import { createdOrder, readyUnit } from './facts.ts';
import { insert } from './insert.ts';
import type { Service } from './service.ts';

/** Puts units on offer, and notes when one of its listings is ordered. */
export const quickListz: Service = {
  name: 'quicklistz',

  tables: `
    CREATE TABLE IF NOT EXISTS quicklistz_listing (
      listing_id   TEXT PRIMARY KEY,
      item_id      TEXT NOT NULL UNIQUE,
      consignor_id TEXT,
      price_cents  INTEGER NOT NULL,
      order_id     TEXT,
      sold_cents   INTEGER
    );`,

  register({ publisher, subscriber }) {
    subscriber.on(
      ProcessingEvents.ITEM_READY_FOR_LISTING,
      async ({ data: unit }, { tx }) => {
        const { itemId, qlid, recommendedPrice: price, title, consignorId, sale } = unit;
        const marketplace = sale.by === 'auction' ? 'auction house' : 'web shop';
        const listingId = `LIST-${itemId}`;
        await insert(tx, 'quicklistz_listing', {
          listing_id: listingId,
          item_id: itemId,
          consignor_id: consignorId,
          price_cents: toCents(price),
        });
        const at = { subject: listingId, qlid, by: 'quicklistz' };
        const listing = { listingId, itemId, qlid, marketplace, price, currency: 'USD' };
        const listingUrl = `https://shop.example/${qlid}`;
        await publisher.publishBatch([
          fact(SalesEvents.LISTING_CREATED, at, { ...listing, title }),
          fact(SalesEvents.LISTING_PUBLISHED, at, { ...listing, listingUrl }),
          fact(SalesEvents.ITEM_LISTED, about(unit, 'quicklistz'), {
            ...listing,
            channels: [marketplace],
            sale,
          }),
        ]);
      },
      { schema: readyUnit },
    );

    subscriber.on(
      OutboundEvents.ORDER_CREATED,
      async ({ data: order }, { tx }) => {
        const { itemId, qlid, orderId, total: salePrice, buyerId, channel } = order;
        const { rows } = await tx.query<{ consignor_id: string | null }>(
          `UPDATE quicklistz_listing SET order_id = $2, sold_cents = $3 WHERE item_id = $1
           RETURNING consignor_id`,
          [itemId, orderId, toCents(salePrice)],
        );
        const consignorId = rows[0]?.consignor_id ?? undefined;
        const sold = { itemId, qlid, orderId, salePrice, buyerId, channel, consignorId };
        await publisher.publish(fact(SalesEvents.ITEM_SOLD, about(order, buyerId), sold));
      },
      { schema: createdOrder },
    );
  },
};
