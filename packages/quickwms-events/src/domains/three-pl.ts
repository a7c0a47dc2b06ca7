import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import {
  count,
  currency,
  day,
  id,
  itemIds,
  measure,
  money,
  prose,
  text,
  timestamp,
  warehouseId,
} from './fields.ts';

/** Types of the events of third-party logistics: goods that clients store and ship through us. */
export const ThreePLEvents = {
  THREEPL_CLIENT_ONBOARDED: 'threepl.client_onboarded',
  THREEPL_CLIENT_OFFBOARDED: 'threepl.client_offboarded',
  THREEPL_INBOUND_ANNOUNCED: 'threepl.inbound_announced',
  THREEPL_INBOUND_RECEIVED: 'threepl.inbound_received',
  THREEPL_ORDER_SUBMITTED: 'threepl.order_submitted',
  THREEPL_ORDER_FULFILLED: 'threepl.order_fulfilled',
  THREEPL_CHARGES_BILLED: 'threepl.charges_billed',
  THREEPL_SERVICE_LEVEL_MISSED: 'threepl.service_level_missed',
} as const;

/** Definitions of the events in {@link ThreePLEvents}. */
export const threePLDefinitions = [
  defineEvent({
    type: ThreePLEvents.THREEPL_CLIENT_ONBOARDED,
    description: 'A client may store goods with us from now on.',
    owner: 'quick3plz',
    schema: z.looseObject({
      clientId: id('Client who was taken on'),
      name: text('Name of the client'),
      contractId: id('Contract with the client').optional(),
      startsOn: day('First day of the contract').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: ThreePLEvents.THREEPL_CLIENT_OFFBOARDED,
    description: 'A client no longer stores goods with us.',
    owner: 'quick3plz',
    schema: z.looseObject({
      clientId: id('Client who left'),
      reason: prose('Why the contract ended'),
      contractId: id('Contract with the client').optional(),
      endedOn: day('Last day of the contract').optional(),
    }),
  }),
  defineEvent({
    type: ThreePLEvents.THREEPL_INBOUND_ANNOUNCED,
    description: 'A client announced goods that are on their way to us.',
    owner: 'quick3plz',
    schema: z.looseObject({
      clientId: id('Client who owns the goods'),
      inboundId: id('Delivery that was announced'),
      expectedItems: count('Items in the delivery'),
      expectedAt: timestamp('When it should arrive').optional(),
      carrier: text('Carrier that brings it').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: ThreePLEvents.THREEPL_INBOUND_RECEIVED,
    description: "A client's goods arrived and were counted.",
    owner: 'quick3plz',
    schema: z.looseObject({
      clientId: id('Client who owns the goods'),
      inboundId: id('Delivery that arrived'),
      receivedItems: count('Items that were found'),
      expectedItems: count('Items that were announced').optional(),
      manifestId: id('Manifest that they were taken in under').optional(),
      receivedAt: timestamp('When they arrived').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: ThreePLEvents.THREEPL_ORDER_SUBMITTED,
    description: 'A client asked us to ship goods.',
    owner: 'quick3plz',
    schema: z.looseObject({
      clientId: id('Client who asked'),
      orderId: id('Order to be shipped'),
      itemIds: itemIds('Items to be shipped'),
      clientReference: text("The client's own number of the order").optional(),
      shipBy: timestamp('When it must have left').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: ThreePLEvents.THREEPL_ORDER_FULFILLED,
    description: 'Goods that a client asked us to ship have left.',
    owner: 'quick3plz',
    schema: z.looseObject({
      clientId: id('Client who asked'),
      orderId: id('Order that left'),
      trackingNumber: text('Tracking number of the parcel'),
      carrier: text('Carrier that has it').optional(),
      fulfilledAt: timestamp('When it left').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: ThreePLEvents.THREEPL_CHARGES_BILLED,
    description: 'The storage and handling of a period were billed to a client.',
    owner: 'quick3plz',
    schema: z.looseObject({
      clientId: id('Client who was billed'),
      invoiceId: id('Invoice that bills it'),
      amount: money('Amount that is owed'),
      periodStart: day('First day that is billed'),
      periodEnd: day('Last day that is billed'),
      currency: currency().optional(),
      storageAmount: money('Share that is for storage').optional(),
      handlingAmount: money('Share that is for handling').optional(),
    }),
  }),
  defineEvent({
    type: ThreePLEvents.THREEPL_SERVICE_LEVEL_MISSED,
    description: 'Something that was promised to a client was not kept.',
    owner: 'quick3plz',
    schema: z.looseObject({
      clientId: id('Client to whom it was promised'),
      metric: text('What was promised, such as hours to ship'),
      target: measure('Value that was promised, in the unit that the metric names'),
      actual: measure('Value that was reached, in the same unit'),
      orderId: id('Order that it is about').optional(),
      missedAt: timestamp('When it was missed').optional(),
    }),
  }),
] as const;
