import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import { currency, day, id, itemIds, money, text, timestamp } from './fields.ts';

/** Types of the events of money coming in and going out. */
export const FinanceEvents = {
  PAYMENT_RECEIVED: 'payment.received',
  INVOICE_GENERATED: 'invoice.generated',
  PAYOUT_PROCESSED: 'payout.processed',
} as const;

/** Definitions of the events in {@link FinanceEvents}. */
export const financeDefinitions = [
  defineEvent({
    type: FinanceEvents.PAYMENT_RECEIVED,
    description: 'Money for an order was booked.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      paymentId: id('Payment that was booked'),
      orderId: id('Order that it pays for'),
      amount: money('Amount that came in'),
      currency: currency().optional(),
      payerId: id('Person who paid').optional(),
      method: text('How it was paid').optional(),
      receivedAt: timestamp('When it came in').optional(),
    }),
  }),
  defineEvent({
    type: FinanceEvents.INVOICE_GENERATED,
    description: 'An invoice was issued.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      invoiceId: id('Invoice that was issued'),
      amount: money('Amount that is owed'),
      dueDate: day('When it must be paid'),
      currency: currency().optional(),
      invoiceNumber: text('Number of the invoice as people read it').optional(),
      orderId: id('Order that it is for').optional(),
      customerId: id('Person or company that owes it').optional(),
      issuedAt: timestamp('When it was issued').optional(),
    }),
  }),
  defineEvent({
    type: FinanceEvents.PAYOUT_PROCESSED,
    description: 'A consignor was paid for what was sold.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      payoutId: id('Payout that was made'),
      consignorId: id('Consignor who was paid'),
      amount: money('Amount that went out'),
      currency: currency().optional(),
      itemIds: itemIds('Items that it pays for').optional(),
      reference: text('Reference of the bank transfer').optional(),
      processedAt: timestamp('When it went out').optional(),
    }),
  }),
] as const;
