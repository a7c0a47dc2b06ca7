import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import {
  currency,
  id,
  itemIds,
  money,
  qlid,
  text,
  texts,
  timestamp,
  url,
  warehouseId,
} from './fields.ts';

/** Types of the events of orders and shipments. */
export const OutboundEvents = {
  ORDER_CREATED: 'order.created',
  ORDER_PAYMENT_RECEIVED: 'order.payment_received',
  ORDER_PICKING_STARTED: 'order.picking_started',
  ORDER_SHIPPED: 'order.shipped',
  ORDER_DELIVERED: 'order.delivered',
  SHIPMENT_DISPATCHED: 'shipment.dispatched',
} as const;

const orderedItem = z.looseObject({
  itemId: id('Item that was ordered'),
  qlid: qlid().optional(),
});

/** Definitions of the events in {@link OutboundEvents}. */
export const outboundDefinitions = [
  defineEvent({
    type: OutboundEvents.ORDER_CREATED,
    description: 'A buyer ordered one or more items.',
    owner: 'quickfulfillment',
    schema: z.looseObject({
      orderId: id('Order that was placed'),
      itemIds: itemIds('Items that were ordered'),
      buyerId: id('Person who ordered'),
      orderNumber: text('Number of the order as people read it').optional(),
      items: z
        .array(orderedItem)
        .max(10_000)
        .describe('The same items with their global ids')
        .optional(),
      total: money('What the buyer owes').optional(),
      currency: currency().optional(),
      channel: text('Channel that the order came through').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: OutboundEvents.ORDER_PAYMENT_RECEIVED,
    description: 'The payment of an order was confirmed, so that it may be fulfilled.',
    owner: 'quickfulfillment',
    schema: z.looseObject({
      orderId: id('Order that was paid'),
      paymentId: id('Payment that covers it'),
      amount: money('Amount that was paid'),
      currency: currency().optional(),
      method: text('How it was paid').optional(),
      receivedAt: timestamp('When it was confirmed').optional(),
    }),
  }),
  defineEvent({
    type: OutboundEvents.ORDER_PICKING_STARTED,
    description: 'A pick list was made and the items of an order are being collected.',
    owner: 'quickfulfillment',
    schema: z.looseObject({
      orderId: id('Order that is picked'),
      pickListId: id('Pick list that was made'),
      itemIds: itemIds('Items on the pick list').optional(),
      pickerId: id('Person who collects them').optional(),
      startedAt: timestamp('When picking began').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: OutboundEvents.ORDER_SHIPPED,
    description: 'The parcel of an order was handed to its carrier.',
    owner: 'quickfulfillment',
    schema: z.looseObject({
      orderId: id('Order that was shipped'),
      trackingNumber: text('Tracking number of the parcel'),
      carrier: text('Carrier that has it'),
      shipmentId: id('Shipment that it travels in').optional(),
      trackingUrl: url('Address at which the parcel can be followed').optional(),
      itemIds: itemIds('Items in the parcel').optional(),
      shippedAt: timestamp('When it was handed over').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: OutboundEvents.ORDER_DELIVERED,
    description: 'The carrier confirmed that an order reached its buyer.',
    owner: 'quickfulfillment',
    schema: z.looseObject({
      orderId: id('Order that was delivered'),
      deliveredAt: timestamp('When it was delivered'),
      signedBy: text('Name of the person who took it').optional(),
      shipmentId: id('Shipment that it travelled in').optional(),
      trackingNumber: text('Tracking number of the parcel').optional(),
    }),
  }),
  defineEvent({
    type: OutboundEvents.SHIPMENT_DISPATCHED,
    description: 'A loaded shipment left the warehouse.',
    owner: 'quickloadz',
    schema: z.looseObject({
      shipmentId: id('Shipment that left'),
      carrier: text('Carrier that drives it'),
      loadId: id('Load that it is part of').optional(),
      orderIds: texts('Orders in the shipment').optional(),
      trackingNumber: text('Tracking number of the shipment').optional(),
      dock: text('Dock that it left from').optional(),
      dispatchedAt: timestamp('When it left').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
] as const;
