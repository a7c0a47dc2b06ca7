import {
  DispositionEvents,
  PartsEvents,
  ProcessingEvents,
  type CreateEventOptions,
} from '@quickwms/events';
import { conditionOf } from '../decisions/decide-grade.ts';
import { decideRepair } from '../decisions/decide-repair.ts';
import { decideDisposition } from '../decisions/decide-route.ts';
import { staff } from '../decisions/staff.ts';
import { about, fact, toCents } from './fact.ts';
import { harvestedUnit, routedUnit, type RoutedUnit } from './facts.ts';
import { insert } from './insert.ts';
import type { Service } from './service.ts';

/** Repairs what is worth it, and keeps the shelf of spare parts that salvage fills. */
export const quickRefurbz: Service = {
  name: 'quickrefurbz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickrefurbz_job (
      job_id        TEXT PRIMARY KEY,
      item_id       TEXT NOT NULL UNIQUE,
      unit          JSONB NOT NULL,
      labor_minutes INTEGER,
      new_grade     TEXT
    );
    CREATE TABLE IF NOT EXISTS quickrefurbz_part (
      part_id     TEXT PRIMARY KEY,
      source_item TEXT NOT NULL
    );`,

  register({ publisher, subscriber, seed }) {
    subscriber.on(
      ProcessingEvents.ITEM_GRADED,
      async ({ data: unit }, { tx }) => {
        if (unit.route !== 'refurbish') return;
        const { itemId, qlid } = unit;
        const jobId = `REFURB-${itemId}`;
        await insert(tx, 'quickrefurbz_job', { job_id: jobId, item_id: itemId, unit });
        const at = { subject: jobId, qlid, by: 'quickrefurbz' };
        const data = { jobId, itemId, qlid, issues: [conditionOf(unit.grade)] };
        await publisher.publish(fact(ProcessingEvents.REFURB_JOB_CREATED, at, data));
      },
      { schema: routedUnit },
    );

    subscriber.on(ProcessingEvents.REFURB_JOB_CREATED, async ({ data: { jobId } }, { tx }) => {
      const { rows } = await tx.query<{ unit: RoutedUnit }>(
        'SELECT unit FROM quickrefurbz_job WHERE job_id = $1',
        [jobId],
      );
      const unit = rows[0]!.unit;
      const { laborMinutes, newGrade } = decideRepair(seed, unit.itemId, unit.grade);
      await tx.query(
        'UPDATE quickrefurbz_job SET labor_minutes = $2, new_grade = $3 WHERE job_id = $1',
        [jobId, laborMinutes, newGrade ?? null],
      );
      await publisher.publishBatch(repairFacts(jobId, unit, seed));
    });

    subscriber.on(
      DispositionEvents.ITEM_PARTS_HARVESTED,
      async ({ data: { itemId, qlid, partsHarvested } }, { tx }) => {
        for (const partId of partsHarvested) {
          await insert(tx, 'quickrefurbz_part', { part_id: partId, source_item: itemId });
        }
        const partFact = (partId: string) =>
          fact(
            PartsEvents.PARTS_RECEIVED,
            { subject: partId, qlid, by: 'quickrefurbz' },
            { partId, quantity: 1, source: 'salvage', sourceItemId: itemId },
          );
        await publisher.publishBatch(partsHarvested.map(partFact));
      },
      { schema: harvestedUnit },
    );
  },
};

function repairFacts(jobId: string, unit: RoutedUnit, seed: string): CreateEventOptions[] {
  const { itemId, qlid, grade, category, unitRetail, consignorId } = unit;
  const { newGrade, laborMinutes, partsUsed } = decideRepair(seed, itemId, grade);
  const by = staff(seed, 'technician', itemId);
  const disposition = { category, unitRetailCents: toCents(unitRetail), consignorId };
  const completed = fact(
    ProcessingEvents.REFURB_JOB_COMPLETED,
    { subject: jobId, qlid, by },
    {
      jobId,
      itemId,
      qlid,
      laborMinutes,
      partsUsed,
      outcome: newGrade ? 'repaired' : 'beyond repair',
      route: newGrade ? 'sell' : decideDisposition(disposition),
      grade,
      category,
      unitRetail,
      consignorId,
    },
  );
  if (!newGrade) return [completed];
  const newCondition = conditionOf(newGrade);
  const refurbished = { itemId, qlid, newGrade, newCondition, jobId };
  return [completed, fact(ProcessingEvents.ITEM_REFURBISHED, about(unit, by), refurbished)];
}
