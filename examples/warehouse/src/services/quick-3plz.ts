import { InboundEvents, ThreePLEvents, type SqlTransaction } from '@quickwms/events';
import { decideParcel } from '../decisions/decide-parcel.ts';
import { handlingCents, storageCents } from '../decisions/decide-price.ts';
import { fact, toMoney } from './fact.ts';
import { receivedUnit } from './facts.ts';
import { insert, insertIfNew } from './insert.ts';
import type { Service } from './service.ts';

const by = 'quick3plz';

/** Stores the goods of clients, ships them when the client asks, and bills taking in and storing. */
export const quick3PLz: Service = {
  name: 'quick3plz',

  tables: `
    CREATE TABLE IF NOT EXISTS quick3plz_client (client_id TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS quick3plz_inbound (
      manifest_id    TEXT PRIMARY KEY,
      client_id      TEXT NOT NULL,
      expected_units INTEGER NOT NULL,
      received_units INTEGER,
      billed_cents   INTEGER
    );
    CREATE TABLE IF NOT EXISTS quick3plz_release (
      order_id  TEXT PRIMARY KEY,
      item_id   TEXT NOT NULL,
      client_id TEXT NOT NULL,
      placed_at TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS quick3plz_release_item ON quick3plz_release (item_id);
    CREATE TABLE IF NOT EXISTS quick3plz_unit (
      item_id   TEXT PRIMARY KEY,
      client_id TEXT NOT NULL,
      order_id  TEXT
    );`,

  register({ publisher, subscriber, seed }) {
    subscriber.on(InboundEvents.MANIFEST_CREATED, async ({ data: manifest }, { tx }) => {
      const { manifestId, clientId, expectedItems } = manifest;
      if (clientId === undefined) return;
      const isNew = await insertIfNew(tx, 'quick3plz_client', { client_id: clientId });
      await insert(tx, 'quick3plz_inbound', {
        manifest_id: manifestId,
        client_id: clientId,
        expected_units: expectedItems,
      });
      const client = { clientId, name: clientId };
      const inbound = { clientId, inboundId: manifestId, expectedItems };
      await publisher.publishBatch([
        ...(isNew
          ? [fact(ThreePLEvents.THREEPL_CLIENT_ONBOARDED, { subject: clientId, by }, client)]
          : []),
        fact(ThreePLEvents.THREEPL_INBOUND_ANNOUNCED, { subject: manifestId, by }, inbound),
      ]);
    });

    subscriber.on(
      InboundEvents.ITEM_RECEIVED,
      async ({ data: { itemId, qlid, clientId } }, { tx }) => {
        if (clientId === undefined) return;
        const release = await firstRelease(tx, itemId);
        const orderId = release?.order_id;
        await insert(tx, 'quick3plz_unit', {
          item_id: itemId,
          client_id: clientId,
          order_id: orderId,
        });
        if (!release || orderId === undefined) return; // it is stored until the client asks for it
        const { trackingNumber, carrier } = decideParcel(seed, orderId, release.placed_at);
        const at = { subject: itemId, qlid, by: clientId };
        const order = { clientId, orderId, itemIds: [itemId] };
        const parcel = { clientId, orderId, itemId, qlid, trackingNumber, carrier };
        await publisher.publishBatch([
          fact(ThreePLEvents.THREEPL_ORDER_SUBMITTED, at, order),
          fact(ThreePLEvents.THREEPL_ORDER_FULFILLED, { ...at, by }, parcel),
        ]);
      },
      { schema: receivedUnit },
    );

    subscriber.on(InboundEvents.MANIFEST_COMPLETED, async (event, { tx }) => {
      const { manifestId, totalItems } = event.data;
      const cents = totalItems * (handlingCents + storageCents);
      const { rows } = await tx.query<{ client_id: string }>(
        'UPDATE quick3plz_inbound SET received_units = $2, billed_cents = $3 WHERE manifest_id = $1 RETURNING client_id',
        [manifestId, totalItems, cents],
      );
      const clientId = rows[0]?.client_id;
      if (clientId === undefined) return;
      const at = { subject: manifestId, by };
      const day = event.time.slice(0, 10);
      await publisher.publishBatch([
        fact(ThreePLEvents.THREEPL_INBOUND_RECEIVED, at, {
          clientId,
          inboundId: manifestId,
          receivedItems: totalItems,
        }),
        fact(ThreePLEvents.THREEPL_CHARGES_BILLED, at, {
          clientId,
          invoiceId: `BILL-${manifestId}`,
          amount: toMoney(cents),
          periodStart: day,
          periodEnd: day,
        }),
      ]);
    });
  },
};

async function firstRelease(tx: SqlTransaction, itemId: string) {
  const { rows } = await tx.query<{ order_id: string; placed_at: string }>(
    'SELECT order_id, placed_at FROM quick3plz_release WHERE item_id = $1 ORDER BY placed_at, order_id LIMIT 1',
    [itemId],
  );
  return rows[0];
}
