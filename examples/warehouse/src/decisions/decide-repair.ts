import { chance, chanceBetween } from './chance.ts';
import type { Grade } from './decide-grade.ts';

/** How a refurbishment ended. */
export interface Repair {
  /** Grade after the work; `undefined` when the unit is beyond repair. */
  readonly newGrade: Grade | undefined;
  readonly laborMinutes: number;
  /** Ids of the parts that were built in. */
  readonly partsUsed: string[];
}

const successRate: Readonly<Partial<Record<Grade, number>>> = { C: 0.9, D: 0.65 };

/** What the workshop makes of a unit that came in with this grade. */
export function decideRepair(seed: string, itemId: string, grade: Grade): Repair {
  const laborMinutes = chanceBetween(10, 90, seed, 'labor minutes', itemId);
  if (chance(seed, 'repair', itemId) >= (successRate[grade] ?? 0)) {
    return { newGrade: undefined, laborMinutes, partsUsed: [] };
  }
  const partCount = chanceBetween(0, 2, seed, 'parts used', itemId);
  return {
    newGrade: grade === 'C' ? 'A' : 'B',
    laborMinutes,
    partsUsed: Array.from({ length: partCount }, (_, index) => `SPARE-${itemId}-${index + 1}`),
  };
}

/** Ids of the parts that can be taken out of a unit that is salvaged. */
export function decideHarvest(seed: string, itemId: string): string[] {
  const count = chanceBetween(1, 3, seed, 'parts harvested', itemId);
  return Array.from({ length: count }, (_, index) => `PART-${itemId}-${index + 1}`);
}
