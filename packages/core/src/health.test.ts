import { describe, expect, it } from 'vitest';

import { HealthReasons } from './health.ts';

describe('health', () => {
  it('is good while nobody is held up, and again afterwards', () => {
    const reasons = new HealthReasons();
    const owner = {};
    expect(reasons.health()).toEqual({ status: 'ok', reasons: [] });
    reasons.add(owner, 'the database is away');
    expect(reasons.health()).toEqual({ status: 'degraded', reasons: ['the database is away'] });
    reasons.remove(owner);
    expect(reasons.health().status).toBe('ok');
  });

  it('says each reason once, however many share it', () => {
    const reasons = new HealthReasons();
    for (const owner of [{}, {}, {}]) reasons.add(owner, 'the database is away');
    reasons.add({}, 'handler grade is late');
    expect(reasons.health().reasons).toEqual([
      'the database is away (3 times)',
      'handler grade is late',
    ]);
  });

  it('is over when the consumer has ended, whatever it ended with', () => {
    const reasons = new HealthReasons();
    reasons.end(undefined);
    reasons.add({}, 'the database is away');
    expect(reasons.health()).toEqual({
      status: 'failed',
      reasons: [
        'the consumer has ended: something that is no error was thrown: undefined',
        'the database is away',
      ],
    });
  });
});
