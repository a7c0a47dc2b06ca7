import { InboundEvents, type EventPublisher, type SqlClient } from '@quickwms/events';
import { staff } from '../decisions/staff.ts';
import type { Lot, SalePlan } from '../input/lots.ts';
import type { Unit } from '../input/unit.ts';
import { about, fact, toMoney } from './fact.ts';
import { insertIfNew } from './insert.ts';

/** What QuickIntakez needs to take goods in. */
export interface Dock {
  readonly database: SqlClient;
  readonly publisher: EventPublisher;
  readonly seed: string;
  readonly planOf: (itemId: string) => SalePlan;
}

/** Units per transaction: long enough to be quick, short enough for others to get a turn. */
const unitsAtOnce = 25;

/**
 * Takes in one lot.
 *
 * Each row commits together with the event that says so, and a row that is there already is left alone:
 * whoever was interrupted simply calls this again.
 */
export async function receiveLot(dock: Dock, lot: Lot): Promise<void> {
  await receiveManifest(dock, lot);
  for (let index = 0; index < lot.units.length; index += unitsAtOnce) {
    await receiveUnits(dock, lot, lot.units.slice(index, index + unitsAtOnce));
  }
}

async function receiveManifest(dock: Dock, { lotId, clientId, consignorId, units }: Lot) {
  const at = { subject: lotId, by: staff(dock.seed, 'dock', lotId) };
  const row = { manifest_id: lotId, expected_units: units.length };
  const categories = new Set(units.map(({ product }) => product.category));
  await dock.database.run(async (tx) => {
    if (!(await insertIfNew(tx, 'quickintakez_manifest', row))) return;
    const created = fact(InboundEvents.MANIFEST_CREATED, at, {
      manifestId: lotId,
      source: consignorId ?? clientId ?? 'liquidation marketplace',
      expectedItems: units.length,
      clientId,
      consignorId,
    });
    const received = fact(InboundEvents.MANIFEST_RECEIVED, at, {
      manifestId: lotId,
      receivedBy: at.by,
      palletCount: categories.size,
    });
    await dock.publisher.publishBatch([created, received], { tx });
  });
}

async function receiveUnits(dock: Dock, lot: Lot, units: readonly Unit[]) {
  await dock.database.run(async (tx) => {
    const { rows } = await tx.query<{ item_id: string }>(
      `INSERT INTO quickintakez_unit (item_id, qlid, manifest_id, manifest_line)
       SELECT item_id, qlid, $1, line FROM unnest($2::text[], $3::text[], $4::int[]) AS new (item_id, qlid, line)
       ON CONFLICT (item_id) DO NOTHING RETURNING item_id`,
      [
        lot.lotId,
        units.map(({ itemId }) => itemId),
        units.map(({ qlid }) => qlid),
        units.map(({ product }) => product.line),
      ],
    );
    const isNew = new Set(rows.map((row) => row.item_id));
    const received = units.filter(({ itemId }) => isNew.has(itemId));
    await dock.publisher.publishBatch(
      received.map((unit) => receivedFact(dock, lot, unit)),
      { tx },
    );
  });
}

function receivedFact({ seed, planOf }: Dock, lot: Lot, unit: Unit) {
  const { itemId, qlid, product } = unit;
  const { upc, brand, description, category, condition } = product;
  return fact(InboundEvents.ITEM_RECEIVED, about(unit, staff(seed, 'dock', itemId)), {
    itemId,
    qlid,
    manifestId: lot.lotId,
    sku: upc ?? `${product.lot}/${product.item}`,
    description,
    category,
    condition,
    unitRetail: toMoney(product.unitRetailCents),
    upc,
    brand,
    consignorId: lot.consignorId,
    clientId: lot.clientId,
    sale: planOf(itemId),
  });
}
