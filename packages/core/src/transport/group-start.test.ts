import { expect, it } from 'vitest';

import { describeStart } from './group-start.ts';
import type { GroupStart } from './transport.ts';

it.each<[GroupStart, string]>([
  ['earliest', 'with everything that is kept'],
  ['latest', 'with what comes from now on'],
  [new Date(Date.UTC(2026, 0, 1, 12)), 'with what came since 2026-01-01T12:00:00.000Z'],
])('says where a group begins: %s', (start, said) => {
  expect(describeStart(start)).toBe(said);
});
