import { InboundEvents, ProcessingEvents, type CreateEventOptions } from '@quickwms/events';
import { chanceBetween } from '../decisions/chance.ts';
import { conditionOf, decideGrade, type Grade } from '../decisions/decide-grade.ts';
import { decidePriceCents } from '../decisions/decide-price.ts';
import { decideRoute } from '../decisions/decide-route.ts';
import { staff } from '../decisions/staff.ts';
import { about, fact, toCents, toMoney } from './fact.ts';
import { receivedUnit, refurbishedUnit, type ReceivedUnit } from './facts.ts';
import { insert } from './insert.ts';
import type { Service } from './service.ts';

/** Inspects every unit that is ours to sell, says where it goes next, and prices what can be listed. */
export const quickGradez: Service = {
  name: 'quickgradez',

  tables: `
    CREATE TABLE IF NOT EXISTS quickgradez_task (
      task_id     TEXT PRIMARY KEY,
      item_id     TEXT NOT NULL UNIQUE,
      unit        JSONB NOT NULL,
      grade       TEXT,
      price_cents INTEGER
    );`,

  register({ publisher, subscriber, seed }) {
    subscriber.on(
      InboundEvents.ITEM_RECEIVED,
      async ({ data: unit }, { tx }) => {
        if (unit.clientId !== undefined) return; // a client's goods are stored as they are
        const { itemId, qlid } = unit;
        const taskId = `GRADE-${itemId}`;
        await insert(tx, 'quickgradez_task', { task_id: taskId, item_id: itemId, unit });
        const priority = unit.unitRetail >= 500 ? 'high' : 'normal';
        const at = { subject: taskId, qlid, by: 'quickgradez' };
        const data = { taskId, itemId, qlid, priority };
        await publisher.publish(fact(ProcessingEvents.GRADING_TASK_CREATED, at, data));
      },
      { schema: receivedUnit },
    );

    subscriber.on(ProcessingEvents.GRADING_TASK_CREATED, async ({ data: { taskId } }, { tx }) => {
      const { rows } = await tx.query<{ unit: ReceivedUnit }>(
        'SELECT unit FROM quickgradez_task WHERE task_id = $1',
        [taskId],
      );
      const inspection = inspect(rows[0]!.unit, seed);
      await tx.query(
        'UPDATE quickgradez_task SET grade = $2, price_cents = $3 WHERE task_id = $1',
        [taskId, inspection.grade, inspection.priceCents],
      );
      await publisher.publishBatch(inspection.facts);
    });

    subscriber.on(
      ProcessingEvents.ITEM_REFURBISHED,
      async ({ data: { itemId, newGrade } }, { tx }) => {
        const { rows } = await tx.query<{ unit: ReceivedUnit }>(
          'SELECT unit FROM quickgradez_task WHERE item_id = $1',
          [itemId],
        );
        const unit = rows[0]!.unit;
        const priceCents = priceOf(unit, newGrade, seed);
        await tx.query('UPDATE quickgradez_task SET price_cents = $2 WHERE item_id = $1', [
          itemId,
          priceCents,
        ]);
        await publisher.publish(readyFact(unit, newGrade, priceCents));
      },
      { schema: refurbishedUnit },
    );
  },
};

interface Inspection {
  readonly grade: Grade;
  /** Price of a unit that can be listed as it is. */
  readonly priceCents: number | null;
  readonly facts: CreateEventOptions[];
}

function inspect(unit: ReceivedUnit, seed: string): Inspection {
  const { itemId, qlid, category, condition, unitRetail, consignorId } = unit;
  const grade = decideGrade(seed, itemId, condition);
  const route = decideRoute({ grade, category, unitRetailCents: toCents(unitRetail), consignorId });
  const by = staff(seed, 'grader', itemId);
  const taskId = `GRADE-${itemId}`;
  const completed = fact(
    ProcessingEvents.GRADING_TASK_COMPLETED,
    { subject: taskId, qlid, by },
    { taskId, itemId, qlid, duration: chanceBetween(60, 900, seed, 'grading seconds', itemId) },
  );
  const graded = fact(ProcessingEvents.ITEM_GRADED, about(unit, by), {
    itemId,
    qlid,
    grade,
    condition: conditionOf(grade),
    requiresRefurbishment: route === 'refurbish',
    route,
    category,
    unitRetail,
    consignorId,
  });
  if (route !== 'sell') return { grade, priceCents: null, facts: [completed, graded] };
  const priceCents = priceOf(unit, grade, seed);
  return { grade, priceCents, facts: [completed, graded, readyFact(unit, grade, priceCents)] };
}

function priceOf({ itemId, unitRetail }: ReceivedUnit, grade: Grade, seed: string): number {
  return decidePriceCents(seed, itemId, { grade, unitRetailCents: toCents(unitRetail) });
}

function readyFact(unit: ReceivedUnit, grade: Grade, priceCents: number): CreateEventOptions {
  const { itemId, qlid, sku, description, category, consignorId, sale } = unit;
  return fact(ProcessingEvents.ITEM_READY_FOR_LISTING, about(unit, 'quickgradez'), {
    itemId,
    qlid,
    recommendedPrice: toMoney(priceCents),
    grade,
    condition: conditionOf(grade),
    sku,
    title: description,
    category,
    consignorId,
    sale,
  });
}
