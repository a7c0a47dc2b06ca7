import { describe, expect, it } from 'vitest';

import { capabilityPage, caseOf, isWholeRun, type CaseResult } from './capability-matrix.ts';

const result = (given: Partial<CaseResult>): CaseResult => ({
  port: 'outbox',
  adapter: 'memory',
  name: 'keeps order',
  state: 'passed',
  ...given,
});

describe('the capability matrix', () => {
  it('knows the suite, the case and the reason of a skip from the names of a test', () => {
    expect(caseOf(['PostgreSQL 18', 'transport PostgreSQL 18', 'groups', 'each get all'])).toEqual({
      port: 'transport',
      adapter: 'PostgreSQL 18',
      name: 'groups: each get all',
    });
    expect(caseOf(['outbox memory', 'waits (skipped: one connection)'])?.reason).toBe(
      'one connection',
    );
    const around = ['transactions around a dead letter', 'commits with it'];
    expect(caseOf(['dead-letter queue memory', 'dead-letter sink memory', ...around])).toEqual({
      port: 'dead-letter sink',
      adapter: 'memory',
      name: 'transactions around a dead letter: commits with it',
    });
    expect(caseOf(['lanes', 'keep order'])).toBeUndefined();
  });

  it('tells passed, failed, left out and never run apart', () => {
    const page = capabilityPage([
      result({}),
      result({ adapter: 'PGlite', state: 'skipped', reason: 'one connection' }),
      result({ adapter: 'PostgreSQL 18', state: 'failed' }),
    ]);
    const untested = ' untested |'.repeat(6);
    expect(page).toContain(`| keeps order | yes | one connection | FAILS |${untested}`);
  });

  it('is judged only by a run over every adapter that has one', () => {
    const databases = ['memory', 'PGlite', 'PostgreSQL 18', 'PostgreSQL 15'];
    const brokers = ['Redis 7.0', 'Redis 6.2', 'Redis 8.0', 'Valkey 8.1'];
    const over = (adapters: string[]) => adapters.map((adapter) => result({ adapter }));
    expect(isWholeRun(over([...databases, ...brokers]))).toBe(true);
    expect(isWholeRun(over(databases))).toBe(false);
    expect(isWholeRun([result({})])).toBe(false);
  });
});
