import { DispositionEvents } from '@quickwms/events';
import { decideHarvest } from '../decisions/decide-repair.ts';
import { staff } from '../decisions/staff.ts';
import { about, fact } from './fact.ts';
import { insert } from './insert.ts';
import { onRouted } from './on-routed.ts';
import type { Service } from './service.ts';

/** Takes units apart for their parts. */
export const quickSalvage: Service = {
  name: 'quicksalvage',

  tables: `
    CREATE TABLE IF NOT EXISTS quicksalvage_unit (
      item_id TEXT PRIMARY KEY,
      parts   TEXT[] NOT NULL
    );`,

  register({ publisher, subscriber, seed }) {
    onRouted(subscriber, 'salvage', async (unit, tx) => {
      const { itemId, qlid, grade } = unit;
      const partsHarvested = decideHarvest(seed, itemId);
      await insert(tx, 'quicksalvage_unit', { item_id: itemId, parts: partsHarvested });
      const at = about(unit, staff(seed, 'technician', itemId));
      const reason = `grade ${grade}, worth more in parts`;
      await publisher.publishBatch([
        fact(DispositionEvents.ITEM_MARKED_FOR_SALVAGE, at, { itemId, qlid, grade, reason }),
        fact(DispositionEvents.ITEM_PARTS_HARVESTED, at, { itemId, qlid, partsHarvested }),
      ]);
    });
  },
};
