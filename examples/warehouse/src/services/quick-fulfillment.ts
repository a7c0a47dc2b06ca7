import {
  ConsignmentEvents,
  FinanceEvents,
  OutboundEvents,
  SalesEvents,
  type SqlTransaction,
} from '@quickwms/events';
import { decideBuyer } from '../decisions/decide-buyer.ts';
import { decideParcel } from '../decisions/decide-parcel.ts';
import { staff } from '../decisions/staff.ts';
import { about, fact, toCents } from './fact.ts';
import { dispatchedShipment, listedUnit, wonBid, type CreatedOrder } from './facts.ts';
import { insert } from './insert.ts';
import { onRouted } from './on-routed.ts';
import type { Service } from './service.ts';

/** Turns wishes into orders, sends what is paid, and gives consignors back what cannot be sold. */
export const quickFulfillment: Service = {
  name: 'quickfulfillment',

  tables: `
    CREATE TABLE IF NOT EXISTS quickfulfillment_wish (
      order_id    TEXT PRIMARY KEY,
      item_id     TEXT NOT NULL,
      buyer_id    TEXT NOT NULL,
      limit_cents INTEGER,
      placed_at   TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS quickfulfillment_wish_item ON quickfulfillment_wish (item_id);
    CREATE TABLE IF NOT EXISTS quickfulfillment_order (
      order_id    TEXT PRIMARY KEY,
      item_id     TEXT NOT NULL UNIQUE,
      total_cents INTEGER NOT NULL,
      placed_at   TEXT NOT NULL,
      status      TEXT NOT NULL CHECK (status IN ('created', 'shipped', 'delivered'))
    );
    CREATE TABLE IF NOT EXISTS quickfulfillment_return (
      item_id      TEXT PRIMARY KEY,
      consignor_id TEXT NOT NULL
    );`,

  register({ publisher, subscriber, seed }) {
    const takeOrder = async (tx: SqlTransaction, order: CreatedOrder) => {
      const { orderId, itemId, qlid, buyerId, total } = order;
      await insert(tx, 'quickfulfillment_order', {
        order_id: orderId,
        item_id: itemId,
        total_cents: toCents(total),
        placed_at: order.placedAt,
        status: 'created',
      });
      const at = { subject: orderId, qlid, by: buyerId };
      await publisher.publish(
        fact(OutboundEvents.ORDER_CREATED, at, { ...order, itemIds: [itemId], currency: 'USD' }),
      );
    };

    subscriber.on(
      SalesEvents.ITEM_LISTED,
      async ({ data: { itemId, qlid, price, sale } }, { tx }) => {
        const wishes = sale.by === 'price' ? await wishesFor(tx, itemId) : [];
        const wish = decideBuyer(wishes, toCents(price));
        if (!wish) return; // it stays on offer
        const { reference: orderId, buyerId, placedAt } = wish;
        const channel = 'web shop';
        await takeOrder(tx, { orderId, itemId, qlid, buyerId, total: price, channel, placedAt });
      },
      { schema: listedUnit },
    );

    subscriber.on(
      SalesEvents.BID_WON,
      async ({ data: bid }, { tx }) => {
        const { itemId, qlid, bidderId: buyerId, winningAmount: total, placedAt } = bid;
        const orderId = bid.bidId; // references of the input are unique over orders and bids
        const channel = 'auction house';
        await takeOrder(tx, { orderId, itemId, qlid, buyerId, total, channel, placedAt });
      },
      { schema: wonBid },
    );

    subscriber.on(FinanceEvents.PAYMENT_RECEIVED, async ({ data: payment, qlid }, { tx }) => {
      const { orderId, paymentId, amount } = payment;
      const order = await setStatus(tx, orderId, 'shipped');
      const { carrier, trackingNumber } = decideParcel(seed, orderId, order.placed_at);
      const pickListId = `PICK-${orderId}`;
      const at = { subject: orderId, qlid, by: staff(seed, 'picker', orderId) };
      await publisher.publishBatch([
        fact(OutboundEvents.ORDER_PAYMENT_RECEIVED, at, { orderId, paymentId, amount }),
        fact(OutboundEvents.ORDER_PICKING_STARTED, at, { orderId, pickListId }),
        fact(OutboundEvents.ORDER_SHIPPED, at, { orderId, trackingNumber, carrier }),
      ]);
    });

    subscriber.on(
      OutboundEvents.SHIPMENT_DISPATCHED,
      async ({ data: { orderId, carrier }, qlid }, { tx }) => {
        const order = await setStatus(tx, orderId, 'delivered');
        const { deliveredAt } = decideParcel(seed, orderId, order.placed_at);
        const at = { subject: orderId, qlid, by: carrier };
        await publisher.publish(fact(OutboundEvents.ORDER_DELIVERED, at, { orderId, deliveredAt }));
      },
      { schema: dispatchedShipment },
    );

    onRouted(subscriber, 'return', async (unit, tx) => {
      const { itemId, qlid, grade, consignorId = '' } = unit;
      await insert(tx, 'quickfulfillment_return', { item_id: itemId, consignor_id: consignorId });
      await publisher.publish(
        fact(
          ConsignmentEvents.CONSIGNMENT_ITEM_RETURNED,
          about(unit, staff(seed, 'picker', itemId)),
          { itemId, qlid, consignorId, reason: `grade ${grade}, not sellable` },
        ),
      );
    });
  },
};

async function wishesFor(tx: SqlTransaction, itemId: string) {
  const { rows } = await tx.query<{
    order_id: string;
    buyer_id: string;
    limit_cents: number | null;
    placed_at: string;
  }>('SELECT * FROM quickfulfillment_wish WHERE item_id = $1', [itemId]);
  return rows.map((row) => ({
    reference: row.order_id,
    buyerId: row.buyer_id,
    limitCents: row.limit_cents,
    placedAt: row.placed_at,
  }));
}

async function setStatus(tx: SqlTransaction, orderId: string, status: string) {
  const { rows } = await tx.query<{ placed_at: string }>(
    'UPDATE quickfulfillment_order SET status = $2 WHERE order_id = $1 RETURNING placed_at',
    [orderId, status],
  );
  return rows[0]!;
}
