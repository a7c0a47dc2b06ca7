import { OutboundEvents } from '@quickwms/events';
import { staff } from '../decisions/staff.ts';
import { fact } from './fact.ts';
import { insert } from './insert.ts';
import type { Service } from './service.ts';

/** Loads parcels onto the trucks of their carriers. */
export const quickLoadz: Service = {
  name: 'quickloadz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickloadz_shipment (
      shipment_id     TEXT PRIMARY KEY,
      order_id        TEXT NOT NULL UNIQUE,
      carrier         TEXT NOT NULL,
      tracking_number TEXT NOT NULL
    );`,

  register({ publisher, subscriber, seed }) {
    subscriber.on(OutboundEvents.ORDER_SHIPPED, async ({ data: parcel, qlid }, { tx }) => {
      const { orderId, carrier, trackingNumber } = parcel;
      const shipmentId = `SHIP-${orderId}`;
      await insert(tx, 'quickloadz_shipment', {
        shipment_id: shipmentId,
        order_id: orderId,
        carrier,
        tracking_number: trackingNumber,
      });
      const at = { subject: shipmentId, qlid, by: staff(seed, 'loader', orderId) };
      const shipment = { shipmentId, carrier, trackingNumber, orderId, orderIds: [orderId] };
      await publisher.publish(fact(OutboundEvents.SHIPMENT_DISPATCHED, at, shipment));
    });
  },
};
