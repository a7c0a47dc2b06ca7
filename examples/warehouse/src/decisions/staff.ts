import { chanceBetween } from './chance.ts';

const crewSize = 4;

/** Who of a crew did it, such as `grader-3`. */
export function staff(seed: string, role: string, subject: string): string {
  return `${role}-${chanceBetween(1, crewSize, seed, role, subject)}`;
}
