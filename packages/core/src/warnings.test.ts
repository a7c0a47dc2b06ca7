import { describe, expect, it } from 'vitest';

import type { Observation } from './observer.ts';
import { Warnings } from './warnings.ts';

function setUp(silence: readonly string[] = []) {
  const seen: Observation[] = [];
  const warnings = new Warnings({
    observe: (observation) => void seen.push(observation),
    silence,
  });
  return { warnings, seen };
}

describe('a warning', () => {
  it('is given once per site', () => {
    const { warnings, seen } = setUp();
    warnings.once('SLOW_HANDLER', 'a', 'a is slow');
    warnings.once('SLOW_HANDLER', 'a', 'a is slow');
    warnings.once('SLOW_HANDLER', 'b', 'b is slow');
    expect(seen).toEqual([
      { kind: 'warning', code: 'SLOW_HANDLER', message: 'a is slow' },
      { kind: 'warning', code: 'SLOW_HANDLER', message: 'b is slow' },
    ]);
  });

  it('is not given where it was said to be silenced', () => {
    const { warnings, seen } = setUp(['SLOW_HANDLER']);
    warnings.once('SLOW_HANDLER', 'a', 'a is slow');
    warnings.once('KEY_DATA_MISSING', 'a', 'something is missing');
    expect(seen.map((observation) => 'code' in observation && observation.code)).toEqual([
      'KEY_DATA_MISSING',
    ]);
  });

  it('comes from a bounded number of sites, though types may be made up without end', () => {
    const { warnings, seen } = setUp();
    for (let index = 0; index < 5_000; index += 1) {
      warnings.once('TYPE_NOT_IN_CATALOGUE', `item-${index}.graded`, 'unknown');
    }
    expect(seen.length).toBe(1_000);
  });
});
