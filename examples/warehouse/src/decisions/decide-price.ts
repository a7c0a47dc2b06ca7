import { chance } from './chance.ts';
import type { Grade } from './decide-grade.ts';

const shareOfRetail: Readonly<Record<Grade, number>> = {
  A: 0.62,
  B: 0.48,
  C: 0.32,
  D: 0.18,
  F: 0.05,
};
const lowestPriceCents = 1_00;

/** The price at which a unit of this grade is offered, in cents. */
export function decidePriceCents(
  seed: string,
  itemId: string,
  unit: { grade: Grade; unitRetailCents: number },
): number {
  const haggle = 0.92 + 0.16 * chance(seed, 'price', itemId);
  const priceCents = Math.round(unit.unitRetailCents * shareOfRetail[unit.grade] * haggle);
  return Math.max(priceCents, lowestPriceCents);
}

/** Below this an auction sells nothing, in cents. */
export function reserveCentsOf(priceCents: number): number {
  return Math.round(priceCents * 0.6);
}

const consignorShare = 0.75;

/** What a consignor gets of a price, in cents; we keep the rest, odd cents included. */
export function consignorCentsOf(priceCents: number): number {
  return Math.floor(priceCents * consignorShare);
}

const costShare = 0.2;

/** What a unit stands in the books for, and is written off with, in cents. */
export function costCentsOf(unitRetailCents: number): number {
  return Math.round(unitRetailCents * costShare);
}

/** What a client pays for taking in and storing one unit, in cents. */
export const handlingCents = 1_50;
export const storageCents = 75;
