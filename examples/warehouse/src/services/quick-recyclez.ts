import { DispositionEvents } from '@quickwms/events';
import { materialOf } from '../decisions/decide-route.ts';
import { about, fact } from './fact.ts';
import { insert } from './insert.ts';
import { onRouted } from './on-routed.ts';
import type { Service } from './service.ts';

/** A container goes to the recycler when so many units are in it. */
const unitsPerContainer = 5;

/** Sorts units by material; the recycler certifies every container that is full. */
export const quickRecyclez: Service = {
  name: 'quickrecyclez',

  tables: `
    CREATE TABLE IF NOT EXISTS quickrecyclez_material (
      material TEXT PRIMARY KEY,
      units    INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS quickrecyclez_unit (
      item_id     TEXT PRIMARY KEY,
      material    TEXT NOT NULL,
      batch_id    TEXT NOT NULL,
      fills_batch BOOLEAN NOT NULL
    );`,

  register({ publisher, subscriber }) {
    onRouted(subscriber, 'recycle', async (unit, tx) => {
      const { itemId, qlid, category } = unit;
      const material = materialOf(category);
      const { rows } = await tx.query<{ units: number }>(
        `INSERT INTO quickrecyclez_material AS known (material, units) VALUES ($1, 1)
         ON CONFLICT (material) DO UPDATE SET units = known.units + 1 RETURNING units`,
        [material],
      );
      const units = rows[0]!.units;
      const batchId = `RECYCLE-${material}-${Math.ceil(units / unitsPerContainer)}`;
      const isFull = units % unitsPerContainer === 0;
      const row = { item_id: itemId, material, batch_id: batchId, fills_batch: isFull };
      await insert(tx, 'quickrecyclez_unit', row);
      const data = { itemId, qlid, materialType: material, batchId };
      const at = about(unit, 'quickrecyclez');
      const marked = fact(DispositionEvents.ITEM_MARKED_FOR_RECYCLING, at, data);
      await publisher.publishBatch(isFull ? [marked, certificateFact(batchId)] : [marked]);
    });
  },
};

function certificateFact(batchId: string) {
  return fact(
    DispositionEvents.RECYCLING_CERTIFICATE_RECEIVED,
    { subject: batchId, by: 'quickrecyclez' },
    { batchId, certificateUrl: `https://recycler.example/r2/${encodeURIComponent(batchId)}` },
  );
}
