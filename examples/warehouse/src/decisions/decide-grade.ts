import { chance } from './chance.ts';

/** Best to worst; F is not sellable. */
export const grades = ['A', 'B', 'C', 'D', 'F'] as const;
export type Grade = (typeof grades)[number];

/** How often each grade comes out, A to F, by the words of the manifest; the first match counts. */
const odds: readonly (readonly [RegExp, readonly number[]])[] = [
  [/salvage|damaged|defective|parts|broken/i, [0, 0.02, 0.08, 0.35, 0.55]],
  [/like new|open box|shelf pull/i, [0.35, 0.45, 0.14, 0.05, 0.01]],
  [/new|sealed/i, [0.82, 0.14, 0.03, 0.01, 0]],
  [/good|refurb/i, [0.12, 0.45, 0.3, 0.1, 0.03]],
  [/(?:)/, [0.2, 0.3, 0.26, 0.14, 0.1]],
];

/** What an inspection of the unit finds, whose condition the manifest states in its own words. */
export function decideGrade(seed: string, itemId: string, condition: string): Grade {
  const [, chances = []] = odds.find(([words]) => words.test(condition)) ?? [];
  let left = chance(seed, 'grade', itemId);
  for (const [index, share] of chances.entries()) {
    left -= share;
    if (left < 0) return grades[index] ?? 'F';
  }
  return 'F';
}

const conditions: Readonly<Record<Grade, string>> = {
  A: 'like new',
  B: 'good',
  C: 'worn, works',
  D: 'faulty',
  F: 'not sellable',
};

/** The condition that buyers read for a grade. */
export function conditionOf(grade: Grade): string {
  return conditions[grade];
}
