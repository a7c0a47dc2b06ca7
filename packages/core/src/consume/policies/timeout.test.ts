import { getEventListeners } from 'node:events';

import { describe, expect, it } from 'vitest';

import { Abort } from '../abort.ts';
import { envelope } from '../../../test/envelope.ts';
import { invocation } from '../../../test/invocation.ts';
import { Observations } from '../../../test/observations.ts';
import { settle } from '../../../test/until.ts';
import { EventError, isEventError } from '../../errors.ts';
import { HealthReasons } from '../../health.ts';
import { ManualClock } from '../../memory/manual-clock.ts';
import type { Step } from './step.ts';
import { timeout } from './timeout.ts';

const overdue = [
  'handler grade is past its timeout and has not returned, since 2026-01-01T00:00:30.000Z',
];

function setUp() {
  const clock = new ManualClock();
  const seen = new Observations();
  const reasons = new HealthReasons(() => clock.now());
  const owner = new AbortController();
  const abort = new Abort(owner.signal);
  abort.follow();
  const policy = timeout({ group: 'graders', clock, observe: seen.observe, reasons });
  let signal: AbortSignal | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const next: Step = async (event, given) => {
    signal = given.abort.signal;
    event.id = 'changed by the handler';
    await promise;
  };
  const outcome = policy(next)(envelope(), invocation({ abort })).then(
    () => 'handled',
    (error: unknown) => error,
  );
  return { clock, seen, reasons, owner, abort, outcome, resolve, reject, signal: () => signal! };
}

describe('a timeout', () => {
  it('leaves a handler alone that returns in time, and leaves nothing behind', async () => {
    const { clock, abort, outcome, resolve, signal, seen } = setUp();
    await clock.advance(29_999);
    resolve();
    expect(await outcome).toBe('handled');
    expect(signal().aborted).toBe(false);
    expect(clock.waiting).toBe(0);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    expect(seen.all).toEqual([]);
  });

  it('aborts the signal of a late handler, and ends only when the handler has', async () => {
    const { clock, outcome, resolve, signal, reasons } = setUp();
    let ended = false;
    void outcome.then(() => (ended = true));
    await clock.advance(30_000);
    expect(isEventError(signal().reason, 'HANDLER_TIMEOUT')).toBe(true);
    await clock.advance(60_000);
    expect({ ended, reasons: reasons.health().reasons }).toEqual({
      ended: false,
      reasons: overdue,
    });
    resolve();
    expect(await outcome).toMatchObject({
      code: 'HANDLER_TIMEOUT',
      retryable: true,
      details: { handler: 'grade', eventId: 'event-1', timeoutMs: 30_000 },
    });
    expect(reasons.health().reasons).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it('counts a late handler as too late, whatever it throws in the end', async () => {
    const { clock, outcome, reject } = setUp();
    await clock.advance(30_000);
    reject(new Error('aborted, I think'));
    expect(isEventError(await outcome, 'HANDLER_TIMEOUT')).toBe(true);
  });

  it('reports an overdue handler at once and then every ten seconds', async () => {
    const { clock, seen, resolve } = setUp();
    await clock.advance(55_000);
    resolve();
    await settle();
    await clock.advance(60_000);
    expect(
      seen.of('handler-overdue').map(({ eventId, overdueMs }) => [eventId, overdueMs]),
    ).toEqual([0, 10_000, 20_000].map((overdueMs) => ['event-1', overdueMs]));
  });

  it('passes on that the message was lost to somebody else, and still says that the lane stands', async () => {
    const { clock, owner, signal, reasons } = setUp();
    const lost = new EventError('CLAIM_LOST', 'taken over', { key: 'k' });
    owner.abort(lost);
    expect(signal().reason).toBe(lost);
    await clock.advance(30_000);
    expect(reasons.health().reasons).toEqual(overdue);
  });

  it('keeps no timer for a handler that a stop has given up', async () => {
    const { clock, owner, signal } = setUp();
    owner.abort(new EventError('STOPPING', 'bye', { what: 'graders' }));
    expect(signal().aborted).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  it('keeps none either for one that was overdue before the stop', async () => {
    const { clock, owner } = setUp();
    await clock.advance(35_000);
    owner.abort(new EventError('STOPPING', 'bye', { what: 'graders' }));
    expect(clock.waiting).toBe(0);
  });

  it('keeps none for one that had lost its message before the stop', async () => {
    const { clock, owner, abort } = setUp();
    owner.abort(new EventError('CLAIM_LOST', 'taken over', { key: 'k' }));
    abort.abort(new EventError('STOPPING', 'bye', { what: 'graders' }));
    expect(clock.waiting).toBe(0);
  });
});
