import { describe, expect, it } from 'vitest';

import { silentLogger, type Observation } from './observer.ts';
import { alsoLogged, Warnings } from './warnings.ts';

function setUp(intended: readonly string[] = []) {
  const seen: Observation[] = [];
  const lines: string[] = [];
  const warnings = new Warnings({
    observe: (observation) => void seen.push(observation),
    logger: { ...silentLogger, warn: (_, message) => void lines.push(message) },
    intended,
  });
  return { warnings, seen, lines };
}

describe('a warning', () => {
  it('is given once per site', () => {
    const { warnings, seen, lines } = setUp();
    warnings.once('SLOW_HANDLER', 'a', 'a is slow');
    warnings.once('SLOW_HANDLER', 'a', 'a is slow');
    warnings.once('SLOW_HANDLER', 'b', 'b is slow');
    expect(lines).toEqual(['a is slow', 'b is slow']);
    expect(seen).toEqual([
      { kind: 'warning', code: 'SLOW_HANDLER', message: 'a is slow' },
      { kind: 'warning', code: 'SLOW_HANDLER', message: 'b is slow' },
    ]);
  });

  it('is not given where it was said to be intended', () => {
    const { warnings, seen } = setUp(['SLOW_HANDLER']);
    warnings.once('SLOW_HANDLER', 'a', 'a is slow');
    warnings.once('KEY_DATA_MISSING', 'a', 'something is missing');
    expect(seen.map((observation) => 'code' in observation && observation.code)).toEqual([
      'KEY_DATA_MISSING',
    ]);
  });

  it('comes from a bounded number of sites, though types may be made up without end', () => {
    const { warnings, lines } = setUp();
    for (let index = 0; index < 5_000; index += 1) {
      warnings.once('TYPE_NOT_IN_CATALOGUE', `item-${index}.graded`, 'unknown');
    }
    expect(lines.length).toBe(1_000);
  });
});

describe('what a transport says', () => {
  const warning: Observation = { kind: 'warning', code: 'NEW_GROUP_STARTS', message: 'it is new' };
  const lost: Observation = {
    kind: 'lost',
    transport: 'redis',
    stream: 'item',
    group: 'graders',
    reason: 'dropped',
    until: '7-0',
  };

  function logged(intended: readonly string[] = []) {
    const seen: Observation[] = [];
    const lines: string[] = [];
    const say = (_: object, message: string) => void lines.push(message);
    const logger = { ...silentLogger, warn: say, error: say };
    const observe = alsoLogged((observation) => void seen.push(observation), { logger, intended });
    return { observe: observe!, seen, lines };
  }

  it('is told the observer, and warnings and losses are written as well', () => {
    const { observe, seen, lines } = logged();
    const told: Observation[] = [warning, lost, { ...lost, group: undefined, after: '2-0' }];
    for (const each of [...told, { kind: 'took-over', group: 'graders', what: 'x' } as const]) {
      observe(each);
    }
    expect(seen.slice(0, 3)).toEqual(told);
    expect(seen).toHaveLength(4);
    expect(lines).toEqual([
      'it is new',
      'item has lost 7-0, which graders had not finished',
      'item has lost what lay behind 2-0, up to 7-0, which any group had not finished',
    ]);
  });

  it('is not written where it was said to be intended', () => {
    const { observe, seen, lines } = logged(['NEW_GROUP_STARTS']);
    observe(warning);
    expect({ seen, lines }).toEqual({ seen: [warning], lines: [] });
  });

  it('is left to the observer where nobody wants it written', () => {
    const observe = () => {};
    expect(alsoLogged(observe, {})).toBe(observe);
    expect(alsoLogged(undefined, undefined)).toBeUndefined();
  });
});
