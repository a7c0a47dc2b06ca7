import { InboundEvents } from '@quickwms/events';
import { staff } from '../decisions/staff.ts';
import { about, fact } from './fact.ts';
import { receivedUnit } from './facts.ts';
import { insert, insertIfNew } from './insert.ts';
import type { Service } from './service.ts';

/** Puts every unit on a pallet of its lot and category, and racks the pallets of a completed manifest. */
export const quickPalletz: Service = {
  name: 'quickpalletz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickpalletz_pallet (
      pallet_id   TEXT PRIMARY KEY,
      manifest_id TEXT NOT NULL,
      location    TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS quickpalletz_placement (
      item_id   TEXT PRIMARY KEY,
      pallet_id TEXT NOT NULL
    );`,

  register({ publisher, subscriber, seed }) {
    subscriber.on(
      InboundEvents.ITEM_RECEIVED,
      async ({ data: unit }, { tx }) => {
        const { itemId, qlid, manifestId } = unit;
        const palletId = palletIdOf(manifestId, unit.category);
        const by = staff(seed, 'dock', palletId);
        const pallet = { pallet_id: palletId, manifest_id: manifestId, location: dock };
        const isNew = await insertIfNew(tx, 'quickpalletz_pallet', pallet);
        await insert(tx, 'quickpalletz_placement', { item_id: itemId, pallet_id: palletId });
        const data = { palletId, manifestId, location: dock };
        const created = fact(InboundEvents.PALLET_CREATED, { subject: palletId, by }, data);
        const placed = fact(InboundEvents.ITEM_ASSIGNED_TO_PALLET, about(unit, by), {
          itemId,
          qlid,
          palletId,
        });
        await publisher.publishBatch(isNew ? [created, placed] : [placed]);
      },
      { schema: receivedUnit },
    );

    subscriber.on(InboundEvents.MANIFEST_COMPLETED, async ({ data }, { tx }) => {
      const { rows } = await tx.query<{ pallet_id: string; location: string }>(
        `UPDATE quickpalletz_pallet SET location = 'rack ' || upper(left(md5(pallet_id), 2))
         WHERE manifest_id = $1 RETURNING pallet_id, location`,
        [data.manifestId],
      );
      await publisher.publishBatch(
        rows.map(({ pallet_id: palletId, location }) =>
          fact(
            InboundEvents.PALLET_LOCATION_CHANGED,
            { subject: palletId, by: staff(seed, 'forklift', palletId) },
            { palletId, fromLocation: dock, toLocation: location },
          ),
        ),
      );
    });
  },
};

const dock = 'dock';

function palletIdOf(manifestId: string, category: string): string {
  const words = category.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '-');
  return `PAL-${manifestId}/${words.slice(0, 60)}`;
}
