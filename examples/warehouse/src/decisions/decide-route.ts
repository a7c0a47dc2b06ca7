import type { Grade } from './decide-grade.ts';

/** Where a unit goes after an inspection. */
export type Route = 'sell' | 'refurbish' | 'salvage' | 'recycle' | 'discard' | 'return';

/** What the way of a unit depends on. */
export interface Inspected {
  readonly grade: Grade;
  readonly category: string;
  readonly unitRetailCents: number;
  /** Whose goods these are, when they are sold on commission. */
  readonly consignorId?: string | undefined;
}

const worthRefurbishingCents = 40_00;
const worthSalvagingCents = 60_00;

/** Decides what becomes of a unit that was graded: most are sold, some are worth the work first. */
export function decideRoute(unit: Inspected): Route {
  const { grade, unitRetailCents } = unit;
  if (grade === 'A' || grade === 'B') return 'sell';
  if (grade === 'F') return decideDisposition(unit);
  if (unitRetailCents >= worthRefurbishingCents && hasParts(unit)) return 'refurbish';
  return grade === 'C' ? 'sell' : decideDisposition(unit);
}

/** Decides what becomes of a unit that cannot be sold: a consignor gets it back, ours is taken apart or goes. */
export function decideDisposition(
  unit: Omit<Inspected, 'grade'>,
): Exclude<Route, 'sell' | 'refurbish'> {
  if (unit.consignorId !== undefined) return 'return';
  if (!hasParts(unit)) return isRecyclable(unit) ? 'recycle' : 'discard';
  return unit.unitRetailCents >= worthSalvagingCents ? 'salvage' : 'recycle';
}

/** The material that a unit is sorted under when it is recycled. */
export function materialOf(category: string): string {
  if (hasParts({ category })) return 'e-scrap';
  if (/apparel|shoe|bedding|textile/i.test(category)) return 'textiles';
  return 'mixed plastics';
}

function hasParts({ category }: { category: string }): boolean {
  return /electronic|computer|phone|appliance|tool|audio|gaming|camera/i.test(category);
}

/** What touches skin or food must not come back into circulation, not even as material. */
function isRecyclable({ category }: { category: string }): boolean {
  return !/beauty|health|grocer|food|baby|pet/i.test(category);
}
