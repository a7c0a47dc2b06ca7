import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import {
  currency,
  day,
  fraction,
  id,
  itemIds,
  money,
  prose,
  qlid,
  text,
  timestamp,
} from './fields.ts';

/** Types of the events of goods that are sold for consignors on commission. */
export const ConsignmentEvents = {
  CONSIGNMENT_AGREEMENT_SIGNED: 'consignment.agreement_signed',
  CONSIGNMENT_AGREEMENT_ENDED: 'consignment.agreement_ended',
  CONSIGNMENT_ITEMS_ACCEPTED: 'consignment.items_accepted',
  CONSIGNMENT_ITEM_REJECTED: 'consignment.item_rejected',
  CONSIGNMENT_ITEM_SOLD: 'consignment.item_sold',
  CONSIGNMENT_ITEM_RETURNED: 'consignment.item_returned',
  CONSIGNMENT_PAYOUT_CALCULATED: 'consignment.payout_calculated',
} as const;

/** Definitions of the events in {@link ConsignmentEvents}. */
export const consignmentDefinitions = [
  defineEvent({
    type: ConsignmentEvents.CONSIGNMENT_AGREEMENT_SIGNED,
    description: 'A consignor agreed to have goods sold on commission.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      agreementId: id('Agreement that was signed'),
      consignorId: id('Consignor who signed it'),
      commissionRate: fraction('Share of the price that we keep, from 0 to 1'),
      consignorName: text('Name of the consignor').optional(),
      validFrom: day('First day of the agreement').optional(),
      validUntil: day('Last day of the agreement').optional(),
    }),
  }),
  defineEvent({
    type: ConsignmentEvents.CONSIGNMENT_AGREEMENT_ENDED,
    description: 'An agreement with a consignor ended.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      agreementId: id('Agreement that ended'),
      consignorId: id('Consignor who had signed it'),
      reason: prose('Why it ended'),
      endedAt: timestamp('When it ended').optional(),
    }),
  }),
  defineEvent({
    type: ConsignmentEvents.CONSIGNMENT_ITEMS_ACCEPTED,
    description: 'Goods of a consignor were accepted for sale.',
    owner: 'quickintakez',
    schema: z.looseObject({
      agreementId: id('Agreement that they are sold under'),
      consignorId: id('Consignor who owns them'),
      itemIds: itemIds('Items that were accepted'),
      manifestId: id('Manifest that lists them').optional(),
      acceptedAt: timestamp('When they were accepted').optional(),
    }),
  }),
  defineEvent({
    type: ConsignmentEvents.CONSIGNMENT_ITEM_REJECTED,
    description: 'An item of a consignor was not accepted for sale.',
    owner: 'quickintakez',
    schema: z.looseObject({
      consignorId: id('Consignor who owns it'),
      itemId: id('Item that was not accepted'),
      reason: prose('Why it was not accepted'),
      qlid: qlid().optional(),
      agreementId: id('Agreement that it was offered under').optional(),
    }),
  }),
  defineEvent({
    type: ConsignmentEvents.CONSIGNMENT_ITEM_SOLD,
    description: 'An item of a consignor was sold; its share is owed.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      consignorId: id('Consignor who owned it'),
      itemId: id('Item that was sold'),
      qlid: qlid(),
      orderId: id('Order that it is part of'),
      salePrice: money('Price that was agreed'),
      commissionAmount: money('Share of the price that we keep').optional(),
      currency: currency().optional(),
      agreementId: id('Agreement that it was sold under').optional(),
      soldAt: timestamp('When it was sold').optional(),
    }),
  }),
  defineEvent({
    type: ConsignmentEvents.CONSIGNMENT_ITEM_RETURNED,
    description: 'An item was not sold and went back to its consignor.',
    owner: 'quickfulfillment',
    schema: z.looseObject({
      consignorId: id('Consignor who has it again'),
      itemId: id('Item that went back'),
      reason: prose('Why it went back'),
      qlid: qlid().optional(),
      trackingNumber: text('Tracking number of the parcel').optional(),
      returnedAt: timestamp('When it went back').optional(),
    }),
  }),
  defineEvent({
    type: ConsignmentEvents.CONSIGNMENT_PAYOUT_CALCULATED,
    description: 'What a consignor is owed was worked out; it is not paid yet.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      payoutId: id('Payout that is to be made'),
      consignorId: id('Consignor who is owed'),
      grossAmount: money('What the items brought'),
      commissionAmount: money('Share that we keep'),
      amount: money('What is to be paid out'),
      currency: currency().optional(),
      itemIds: itemIds('Items that it pays for').optional(),
      periodStart: day('First day that is covered').optional(),
      periodEnd: day('Last day that is covered').optional(),
    }),
  }),
] as const;
