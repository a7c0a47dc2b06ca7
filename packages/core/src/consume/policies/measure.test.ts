import { describe, expect, it } from 'vitest';

import { envelope } from '../../../test/envelope.ts';
import { invocation } from '../../../test/invocation.ts';
import { Observations } from '../../../test/observations.ts';
import { ManualClock } from '../../memory/manual-clock.ts';
import { Warnings } from '../../warnings.ts';
import { measure } from './measure.ts';
import type { Step } from './step.ts';

function setUp({ slowMs = 10_000 } = {}) {
  const clock = new ManualClock();
  const seen = new Observations();
  const { observe } = seen;
  const warnings = new Warnings({ observe });
  const policy = measure({ group: 'graders', clock, observe, warnings, slowMs });
  const run = async (next: Step): Promise<void> => policy(next)(envelope(), invocation());
  const taking =
    (ms: number): Step =>
    async (event, { progress }) => {
      progress.entered = true;
      event.id = 'changed by the handler';
      await clock.advance(ms);
    };
  return { seen, run, taking };
}

describe('measuring', () => {
  it('reports what was handled, under the name it came with, and how long it took', async () => {
    const { seen, run, taking } = setUp();
    await run(taking(120));
    expect(seen.all).toMatchObject([
      {
        kind: 'processed',
        group: 'graders',
        handler: 'grade',
        eventType: 'item.graded',
        eventId: 'event-1',
        durationMs: 120,
        coordinates: { transport: 'test', stream: 'items', position: '7' },
      },
    ]);
  });

  it('reports neither a failure nor an event that never reached its handler', async () => {
    const { seen, run } = setUp();
    await expect(run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await run(async () => {});
    expect(seen.all).toMatchObject([]);
  });

  it('names a slow handler once', async () => {
    const { seen, run, taking } = setUp({ slowMs: 100 });
    await run(taking(100));
    await run(taking(101));
    await run(taking(500));
    expect(seen.of('warning').map(({ code }) => code)).toEqual(['SLOW_HANDLER']);
    expect(seen.of('processed').map(({ durationMs }) => durationMs)).toEqual([100, 101, 500]);
  });
});
