import { createHash } from 'node:crypto';

const buckets = 2 ** 48;

/**
 * A number from 0 up to but not including 1 that only depends on its arguments.
 *
 * Everything that looks like chance in this warehouse comes from here: the seed, what is decided, and
 * what it is about, never the time or the order of arrival. So a run that was killed and goes on decides
 * as one that was not.
 */
export function chance(seed: string, question: string, subject: string): number {
  const key = JSON.stringify([seed, question, subject]);
  return createHash('sha256').update(key).digest().readUIntBE(0, 6) / buckets;
}

/** A whole number from `lowest` to `highest`, both included. */
export function chanceBetween(
  lowest: number,
  highest: number,
  ...[seed, question, subject]: Parameters<typeof chance>
): number {
  return lowest + Math.floor(chance(seed, question, subject) * (highest - lowest + 1));
}

/** One of several, each as likely as the others. */
export function chanceOf<T>(
  choices: readonly [T, ...T[]],
  ...[seed, question, subject]: Parameters<typeof chance>
): T {
  return choices[Math.floor(chance(seed, question, subject) * choices.length)] ?? choices[0];
}
