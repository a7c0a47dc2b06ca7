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
import { insert } from './insert.ts';
import type { Service } from './service.ts';

/** Why a unit leaves the stock, by the event that says so; all of them come in the order of the unit. */
const reasons = {
  [SalesEvents.ITEM_SOLD]: 'sold',
  [DispositionEvents.ITEM_PARTS_HARVESTED]: 'taken apart',
  [DispositionEvents.ITEM_MARKED_FOR_RECYCLING]: 'recycled',
  [DispositionEvents.ITEM_DISPOSED]: 'discarded',
  [ConsignmentEvents.CONSIGNMENT_ITEM_RETURNED]: 'returned to its consignor',
  [ThreePLEvents.THREEPL_ORDER_FULFILLED]: 'released to its client',
} as const;

/** Knows what is in the house. */
export const quickInventoryz: Service = {
  name: 'quickinventoryz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickinventoryz_stock (
      item_id        TEXT PRIMARY KEY,
      sku            TEXT NOT NULL,
      removed_reason TEXT
    );`,

  register({ publisher, subscriber }) {
    subscriber.on(
      InboundEvents.ITEM_RECEIVED,
      async ({ data: unit }, { tx }) => {
        const { itemId, qlid, sku } = unit;
        await insert(tx, 'quickinventoryz_stock', { item_id: itemId, sku });
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
            'UPDATE quickinventoryz_stock SET removed_reason = $2 WHERE item_id = $1',
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
