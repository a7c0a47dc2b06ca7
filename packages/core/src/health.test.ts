import { describe, expect, it } from 'vitest';

import { HealthReasons, jointHealth } from './health.ts';
import { ManualClock } from './memory/manual-clock.ts';

function setUp() {
  const clock = new ManualClock();
  return { clock, reasons: new HealthReasons(() => clock.now()) };
}

describe('health', () => {
  it('is good while nobody is held up, and again afterwards', () => {
    const { reasons } = setUp();
    const owner = {};
    expect(reasons.health()).toEqual({ status: 'ok', reasons: [] });
    reasons.add(owner, 'the database is away');
    expect(reasons.health()).toEqual({
      status: 'degraded',
      reasons: ['the database is away, since 2026-01-01T00:00:00.000Z'],
    });
    reasons.remove(owner);
    expect(reasons.health().status).toBe('ok');
  });

  it('says since when somebody is held up, whatever it is now', async () => {
    const { clock, reasons } = setUp();
    const owner = {};
    reasons.add(owner, 'the database is away');
    await clock.advance(5_000);
    reasons.add(owner, 'the database is full');
    expect(reasons.health().reasons).toEqual([
      'the database is full, since 2026-01-01T00:00:00.000Z',
    ]);
    reasons.remove(owner);
    reasons.add(owner, 'the database is away');
    expect(reasons.health().reasons).toEqual([
      'the database is away, since 2026-01-01T00:00:05.000Z',
    ]);
  });

  it('says each reason once, however many share it, and since when the first of them', async () => {
    const { clock, reasons } = setUp();
    for (const owner of [{}, {}, {}]) {
      reasons.add(owner, 'the database is away');
      await clock.advance(1_000);
    }
    reasons.add({}, 'handler grade is late');
    expect(reasons.health().reasons).toEqual([
      'the database is away (3 times), since 2026-01-01T00:00:00.000Z',
      'handler grade is late, since 2026-01-01T00:00:03.000Z',
    ]);
  });

  it('is over when the consumer has ended, whatever it ended with', async () => {
    const { clock, reasons } = setUp();
    reasons.add({}, 'the database is away');
    await clock.advance(1_000);
    reasons.end(undefined);
    expect(reasons.health()).toEqual({
      status: 'failed',
      reasons: [
        'the consumer has ended: something that is no error was thrown: undefined, since 2026-01-01T00:00:01.000Z',
        'the database is away, since 2026-01-01T00:00:00.000Z',
      ],
    });
  });
});

describe('the health of several together', () => {
  const ok = { status: 'ok', reasons: [] } as const;
  const degraded = { status: 'degraded', reasons: ['slow'] } as const;
  const failed = { status: 'failed', reasons: ['over', 'slow'] } as const;

  it('is good if there is nobody, or all are well', () => {
    expect(jointHealth([])).toEqual(ok);
    expect(jointHealth([ok, ok])).toEqual(ok);
  });

  it('is that of the worst, with the reasons of all in their order', () => {
    expect(jointHealth([ok, degraded, ok])).toEqual(degraded);
    expect(jointHealth([degraded, failed])).toEqual({
      status: 'failed',
      reasons: ['slow', 'over', 'slow'],
    });
  });
});
