import { z } from 'zod';

// What events carry in this warehouse beyond the keys that the catalogue asks for, event by event, and
// only what a handler here reads. Handlers hold what they get against these shapes, so that they have
// all they need at hand and ask no other service for it.

const grade = z.enum(['A', 'B', 'C', 'D', 'F']);

/** How a unit is to be sold; the bids that came in beforehand decide it. */
const salePlan = z.discriminatedUnion('by', [
  z.object({ by: z.literal('price') }),
  z.object({ by: z.literal('auction'), bidCount: z.int().min(1), opensAt: z.string() }),
]);

/** Any event about one unit. */
export const unitRef = z.looseObject({ itemId: z.string(), qlid: z.string() });

/** `item.received` */
export const receivedUnit = unitRef.extend({
  manifestId: z.string(),
  sku: z.string(),
  description: z.string(),
  category: z.string(),
  condition: z.string(),
  unitRetail: z.number(),
  /** Whose goods these are, when they are sold on commission. */
  consignorId: z.string().optional(),
  /** Whose goods these are, when they are only stored. */
  clientId: z.string().optional(),
  sale: salePlan,
});
export type ReceivedUnit = z.infer<typeof receivedUnit>;

/** `item.graded`, and `refurb.job_completed` of a unit beyond repair: here is where it goes next. */
export const routedUnit = unitRef.extend({
  grade,
  category: z.string(),
  unitRetail: z.number(),
  consignorId: z.string().optional(),
  route: z.enum(['sell', 'refurbish', 'salvage', 'recycle', 'discard', 'return']),
});
export type RoutedUnit = z.infer<typeof routedUnit>;

/** `item.refurbished` */
export const refurbishedUnit = unitRef.extend({ newGrade: grade });

/** `item.parts_harvested` */
export const harvestedUnit = unitRef.extend({ partsHarvested: z.array(z.string()) });

/** `item.ready_for_listing` */
export const readyUnit = unitRef.extend({
  recommendedPrice: z.number(),
  title: z.string(),
  condition: z.string(),
  consignorId: z.string().optional(),
  sale: salePlan,
});

/** `item.listed` */
export const listedUnit = unitRef.extend({ price: z.number(), sale: salePlan });

/** `auction.started` */
export const startedAuction = unitRef.extend({ auctionId: z.string(), reservePrice: z.number() });

/** `bid.placed` */
export const placedBid = unitRef.extend({ auctionId: z.string(), bidId: z.string() });

/** `bid.won` */
export const wonBid = placedBid.extend({
  bidderId: z.string(),
  winningAmount: z.number(),
  placedAt: z.string(),
});

/** `order.created`: here, an order is for one unit. */
export const createdOrder = unitRef.extend({
  orderId: z.string(),
  buyerId: z.string(),
  total: z.number(),
  channel: z.string(),
  placedAt: z.string(),
});
export type CreatedOrder = z.infer<typeof createdOrder>;

/** `item.sold` */
export const soldUnit = unitRef.extend({
  orderId: z.string(),
  salePrice: z.number(),
  consignorId: z.string().optional(),
});

/** `shipment.dispatched` */
export const dispatchedShipment = z.looseObject({ orderId: z.string(), carrier: z.string() });

/** `discard.writeoff_generated` */
export const writtenOffUnit = unitRef.extend({
  writeoffId: z.string(),
  writeoffAmount: z.number(),
});
