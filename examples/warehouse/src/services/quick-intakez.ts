import { InboundEvents } from '@quickwms/events';
import { fact } from './fact.ts';
import type { Service } from './service.ts';

/** Takes lots in at the dock (`receive-lot.ts`), and closes a manifest when all its units are put away. */
export const quickIntakez: Service = {
  name: 'quickintakez',

  tables: `
    CREATE TABLE IF NOT EXISTS quickintakez_manifest (
      manifest_id    TEXT PRIMARY KEY,
      expected_units INTEGER NOT NULL,
      units_put_away INTEGER NOT NULL DEFAULT 0,
      received_at    TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE IF NOT EXISTS quickintakez_unit (
      item_id       TEXT PRIMARY KEY,
      qlid          TEXT NOT NULL UNIQUE,
      manifest_id   TEXT NOT NULL,
      manifest_line INTEGER NOT NULL
    );`,

  register({ publisher, subscriber }) {
    subscriber.on(InboundEvents.ITEM_ASSIGNED_TO_PALLET, async ({ data }, { tx }) => {
      const { rows } = await tx.query<Progress>(
        `UPDATE quickintakez_manifest SET units_put_away = units_put_away + 1
         WHERE manifest_id = (SELECT manifest_id FROM quickintakez_unit WHERE item_id = $1)
         RETURNING manifest_id, expected_units, units_put_away,
                   round(extract(epoch FROM clock_timestamp() - received_at), 3)::float8 AS seconds`,
        [data.itemId],
      );
      const [manifest] = rows;
      if (!manifest || manifest.units_put_away < manifest.expected_units) return;
      const { manifest_id: manifestId, expected_units: totalItems, seconds: duration } = manifest;
      await publisher.publish(
        fact(
          InboundEvents.MANIFEST_COMPLETED,
          { subject: manifestId, by: 'quickintakez' },
          { manifestId, totalItems, duration },
        ),
      );
    });
  },
};

interface Progress {
  manifest_id: string;
  expected_units: number;
  units_put_away: number;
  seconds: number;
}
