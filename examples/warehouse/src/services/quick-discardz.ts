import { DispositionEvents } from '@quickwms/events';
import { costCentsOf } from '../decisions/decide-price.ts';
import { staff } from '../decisions/staff.ts';
import { about, fact, toCents, toMoney } from './fact.ts';
import { insert } from './insert.ts';
import { onRouted } from './on-routed.ts';
import type { Service } from './service.ts';

/** Destroys what nobody may use any more, and writes its value off. */
export const quickDiscardz: Service = {
  name: 'quickdiscardz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickdiscardz_unit (
      item_id        TEXT PRIMARY KEY,
      writeoff_cents INTEGER NOT NULL
    );`,

  register({ publisher, subscriber, seed }) {
    onRouted(subscriber, 'discard', async (unit, tx) => {
      const { itemId, qlid, unitRetail } = unit;
      const cents = costCentsOf(toCents(unitRetail));
      await insert(tx, 'quickdiscardz_unit', { item_id: itemId, writeoff_cents: cents });
      const at = about(unit, staff(seed, 'disposal', itemId));
      await publisher.publishBatch([
        fact(DispositionEvents.ITEM_DISPOSED, at, { itemId, qlid, disposalMethod: 'destruction' }),
        fact(DispositionEvents.DISCARD_WRITEOFF_GENERATED, at, {
          itemId,
          qlid,
          writeoffId: `WRITEOFF-${itemId}`,
          writeoffAmount: toMoney(cents),
          currency: 'USD',
        }),
      ]);
    });
  },
};
