import { afterEach, describe, expect, it, vi } from 'vitest';

import { Observations } from '../test/observations.ts';
import { HealthReasons } from './health.ts';
import { ManualClock } from './memory/manual-clock.ts';
import { silentLogger, type Logger } from './observer.ts';
import { observeFor, type Audience } from './people.ts';
import { TroubleReporter, type TroubleReporterOptions } from './trouble.ts';

const away = new Error('the server is away');

function setUp(said: Partial<TroubleReporterOptions> & Audience = {}) {
  const { logger: given, silence, ...options } = said;
  const clock = new ManualClock();
  const seen = new Observations();
  const reasons = new HealthReasons(() => clock.now());
  const warn = vi.fn<Logger['warn']>();
  const trouble = new TroubleReporter({
    who: 'consumer',
    name: 'graders',
    clock,
    observe: observeFor({
      observer: seen.observe,
      logger: 'logger' in said ? given : { ...silentLogger, warn },
      silence,
    }),
    reasons,
    ...options,
  });
  return { clock, seen, reasons, warn, trouble };
}

afterEach(() => vi.restoreAllMocks());

describe('trouble', () => {
  it('is told when it begins, to observer, log and health', () => {
    const { seen, reasons, warn, trouble } = setUp();
    expect(trouble.isInTrouble).toBe(false);
    trouble.begin(away);
    expect(trouble.isInTrouble).toBe(true);
    const words = 'the consumer of graders does not get on: the server is away';
    const told = { kind: 'trouble', who: 'consumer', name: 'graders', words, error: away };
    expect(seen.all).toEqual([told]);
    expect(warn.mock.calls).toEqual([[{ ...told, code: 'CONSUMER_TROUBLE' }, words]]);
    expect(reasons.health()).toEqual({
      status: 'degraded',
      reasons: [`${words}, since 2026-01-01T00:00:00.000Z`],
    });
  });

  it('is told once while it lasts, and health has its latest words', async () => {
    const { clock, seen, reasons, warn, trouble } = setUp();
    trouble.begin(away);
    await clock.advance(5_000);
    trouble.begin(new Error('access denied'));
    expect({ seen: seen.all.length, logged: warn.mock.calls.length }).toEqual({
      seen: 1,
      logged: 1,
    });
    expect(reasons.health().reasons).toEqual([
      'the consumer of graders does not get on: access denied, since 2026-01-01T00:00:00.000Z',
    ]);
  });

  it('is told once more when it is over, with how long it has lasted', async () => {
    const { clock, seen, reasons, warn, trouble } = setUp();
    trouble.begin(away);
    await clock.advance(5_000);
    trouble.end();
    trouble.end();
    expect(seen.of('recovered')).toEqual([
      { kind: 'recovered', who: 'consumer', name: 'graders', afterMs: 5_000 },
    ]);
    expect(warn).toHaveBeenCalledTimes(2);
    expect(warn.mock.lastCall![1]).toBe('the consumer of graders gets on again after 5000 ms');
    expect(reasons.health().status).toBe('ok');
    trouble.begin(away);
    expect(seen.of('trouble').length).toBe(2);
  });

  it('is nothing to speak of where there was none', () => {
    const { seen, warn, trouble } = setUp();
    trouble.end();
    expect({ seen: seen.all, logged: warn.mock.calls }).toEqual({ seen: [], logged: [] });
  });

  it('of several with one health is a reason each', () => {
    const { reasons, trouble } = setUp();
    const other = setUp({ name: 'pricers', reasons }).trouble;
    trouble.begin(away);
    other.begin(away);
    trouble.end();
    expect(reasons.health().reasons).toEqual([expect.stringContaining('pricers')]);
  });

  it('that is silenced is not written, and is observed all the same', () => {
    const { seen, warn, trouble } = setUp({ silence: ['CONSUMER_TROUBLE'] });
    trouble.begin(away);
    expect({ seen: seen.of('trouble').length, logged: warn.mock.calls }).toEqual({
      seen: 1,
      logged: [],
    });
  });

  it('without a logger warns the process of the first of each kind', () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const first = setUp({ who: 'relay', name: 'redis', logger: undefined }).trouble;
    first.begin(away);
    first.end();
    first.begin(away);
    setUp({ who: 'relay', name: 'memory', logger: undefined }).trouble.begin(away);
    setUp({ who: 'publisher', name: 'redis', logger: undefined }).trouble.begin(away);
    expect(emitWarning.mock.calls).toEqual([
      [
        'the relay of redis does not get on: the server is away',
        { type: 'WaybillWarning', code: 'RELAY_TROUBLE' },
      ],
      [
        'the relay of redis gets on again after 0 ms',
        { type: 'WaybillWarning', code: 'RECOVERED' },
      ],
      [
        'the publisher of redis does not get on: the server is away',
        { type: 'WaybillWarning', code: 'PUBLISHER_TROUBLE' },
      ],
    ]);
  });
});
