import {
  ConsignmentEvents,
  DispositionEvents,
  FinanceEvents,
  OutboundEvents,
  SalesEvents,
  ThreePLEvents,
} from '@quickwms/events';
import { later } from '../decisions/decide-parcel.ts';
import { consignorCentsOf } from '../decisions/decide-price.ts';
import { fact, toCents, toMoney } from './fact.ts';
import { createdOrder, soldUnit, writtenOffUnit } from './facts.ts';
import { book } from './ledger.ts';
import type { Service } from './service.ts';

const { INVOICE_GENERATED, PAYMENT_RECEIVED, PAYOUT_PROCESSED } = FinanceEvents;
const { DISCARD_WRITEOFF_GENERATED } = DispositionEvents;

const by = 'quickfinancez';
const currency = 'USD';
const daysToPay = 14;

/** Invoices, takes payments, pays consignors, and keeps the books in whole cents. */
export const quickFinancez: Service = {
  name: 'quickfinancez',

  tables: `
    CREATE TABLE IF NOT EXISTS quickfinancez_ledger (
      document_id  TEXT NOT NULL,
      booked_for   TEXT NOT NULL,
      account      TEXT NOT NULL,
      amount_cents INTEGER NOT NULL,
      PRIMARY KEY (document_id, account)
    );`,

  register({ publisher, subscriber }) {
    subscriber.on(
      OutboundEvents.ORDER_CREATED,
      async ({ data: order }, { tx }) => {
        const { orderId, qlid, total: amount, buyerId } = order;
        const invoiceId = `INV-${orderId}`;
        const paymentId = `PAY-${orderId}`;
        const cents = toCents(amount);
        const owed = { debit: 'receivables', credit: 'sales', cents } as const;
        const paid = { debit: 'cash', credit: 'receivables', cents } as const;
        await book(tx, invoiceId, { ...owed, bookedFor: INVOICE_GENERATED });
        await book(tx, paymentId, { ...paid, bookedFor: PAYMENT_RECEIVED });
        const at = { subject: orderId, qlid, by };
        const dueDate = later(order.placedAt, daysToPay);
        const invoice = { invoiceId, orderId, amount, currency, customerId: buyerId, dueDate };
        const payment = { paymentId, orderId, amount, currency, payerId: buyerId };
        await publisher.publishBatch([
          fact(INVOICE_GENERATED, at, invoice),
          fact(PAYMENT_RECEIVED, { ...at, by: buyerId }, payment),
        ]);
      },
      { schema: createdOrder },
    );

    subscriber.on(
      SalesEvents.ITEM_SOLD,
      async ({ data: { itemId, qlid, orderId, salePrice, consignorId } }, { tx }) => {
        if (consignorId === undefined) return;
        const payoutId = `PAYOUT-${itemId}`;
        const cents = consignorCentsOf(toCents(salePrice));
        const share = { debit: 'sales', credit: 'cash', cents } as const;
        await book(tx, payoutId, { ...share, bookedFor: PAYOUT_PROCESSED });
        const at = { subject: itemId, qlid, by };
        const commissionAmount = toMoney(toCents(salePrice) - cents);
        const sold = { consignorId, itemId, qlid, orderId, salePrice, commissionAmount, currency };
        const amount = toMoney(cents);
        const payout = { payoutId, consignorId, amount, currency, itemIds: [itemId] };
        await publisher.publishBatch([
          fact(ConsignmentEvents.CONSIGNMENT_ITEM_SOLD, at, sold),
          fact(PAYOUT_PROCESSED, { ...at, subject: payoutId }, payout),
        ]);
      },
      { schema: soldUnit },
    );

    subscriber.on(
      DISCARD_WRITEOFF_GENERATED,
      async ({ data: { writeoffId, writeoffAmount } }, { tx }) => {
        const lost = {
          debit: 'write-offs',
          credit: 'stock',
          cents: toCents(writeoffAmount),
        } as const;
        await book(tx, writeoffId, { ...lost, bookedFor: DISCARD_WRITEOFF_GENERATED });
      },
      { schema: writtenOffUnit },
    );

    subscriber.on(ThreePLEvents.THREEPL_CHARGES_BILLED, async ({ data: charges }, { tx }) => {
      const { invoiceId, amount, clientId: customerId, periodEnd: dueDate } = charges;
      const owed = { debit: 'receivables', credit: 'fees', cents: toCents(amount) } as const;
      await book(tx, invoiceId, { ...owed, bookedFor: INVOICE_GENERATED });
      const invoice = { invoiceId, amount, currency, customerId, dueDate };
      await publisher.publish(fact(INVOICE_GENERATED, { subject: invoiceId, by }, invoice));
    });
  },
};
