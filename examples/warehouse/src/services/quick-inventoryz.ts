import {
  ConsignmentEvents,
  DispositionEvents,
  InboundEvents,
  InventoryEvents,
  SalesEvents,
  ThreePLEvents,
} from '@quickwms/events';
import { about, fact } from './fact.ts';
import { receivedUnit, unitRef } from './facts.ts';
import type { Service } from './service.ts';

/** Why a unit leaves the stock, by the event that says so. */
const reasons = {
  [SalesEvents.ITEM_SOLD]: 'sold',
  [DispositionEvents.ITEM_PARTS_HARVESTED]: 'taken apart',
  [DispositionEvents.ITEM_MARKED_FOR_RECYCLING]: 'recycled',
  [DispositionEvents.ITEM_DISPOSED]: 'discarded',
  [ConsignmentEvents.CONSIGNMENT_ITEM_RETURNED]: 'returned to its consignor',
  [ThreePLEvents.THREEPL_ORDER_FULFILLED]: 'released to its client',
} as const;

/**
 * Knows what is in the house.
 *
 * That a unit has left may be heard before that it came: a transport may bring events of one domain, such
 * as `consignment.*`, ahead of those of another. So either of them makes the row, and the other completes it.
 * Waiting for the first would not help: it has the same key, and so is handled after this one.
 */
export const quickInventoryz: Service = {
  name: 'quickinventoryz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickinventoryz_stock (
      item_id        TEXT PRIMARY KEY,
      sku            TEXT,
      removed_reason TEXT
    );`,

  register({ publisher, subscriber }) {
    subscriber.on(
      InboundEvents.ITEM_RECEIVED,
      async ({ data: unit }, { tx }) => {
        const { itemId, qlid, sku } = unit;
        await tx.query(
          `INSERT INTO quickinventoryz_stock (item_id, sku) VALUES ($1, $2)
           ON CONFLICT (item_id) DO UPDATE SET sku = excluded.sku`,
          [itemId, sku],
        );
        const at = about(unit, 'quickinventoryz');
        await publisher.publish(
          fact(InventoryEvents.INVENTORY_ITEM_ADDED, at, { itemId, qlid, sku }),
        );
      },
      { schema: receivedUnit },
    );

    for (const type of Object.keys(reasons) as (keyof typeof reasons)[]) {
      subscriber.on(
        type,
        async ({ data: unit }, { tx }) => {
          const { itemId, qlid } = unit;
          const reason = reasons[type];
          await tx.query(
            `INSERT INTO quickinventoryz_stock (item_id, removed_reason) VALUES ($1, $2)
             ON CONFLICT (item_id) DO UPDATE SET removed_reason = excluded.removed_reason`,
            [itemId, reason],
          );
          const at = about(unit, 'quickinventoryz');
          await publisher.publish(
            fact(InventoryEvents.INVENTORY_ITEM_REMOVED, at, { itemId, qlid, reason }),
          );
        },
        { schema: unitRef },
      );
    }
  },
};
