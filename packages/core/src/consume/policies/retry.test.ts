import { getEventListeners } from 'node:events';

import { describe, expect, it } from 'vitest';

import { envelope } from '../../../test/envelope.ts';
import { delivery, invocation, registration } from '../../../test/invocation.ts';
import { Observations } from '../../../test/observations.ts';
import { settle } from '../../../test/until.ts';
import { EventError } from '../../errors.ts';
import { HealthReasons } from '../../health.ts';
import { ManualClock } from '../../memory/manual-clock.ts';
import { defaultRetryPolicy, type RetryPolicy } from '../../retry/retry-policy.ts';
import { retry } from './retry.ts';
import type { Step } from './step.ts';

const away = new EventError('STORE_UNAVAILABLE', 'away', {});
const held = new EventError('CLAIM_HELD', 'busy', { key: 'k' });

/** Fails with the given errors, one after the other, then succeeds. `before` fails before the handler. */
function setUp(
  errors: { before?: unknown; thrown?: unknown }[],
  { policy = {}, once = false }: { policy?: Partial<RetryPolicy>; once?: boolean } = {},
) {
  const clock = new ManualClock();
  const startedAt = clock.now();
  const seen = new Observations();
  const reasons = new HealthReasons(() => clock.now());
  const stop = new AbortController();
  const tries: { atMs: number; attempt: number; data: unknown }[] = [];
  const next: Step = async (event, { attempt, progress }) => {
    tries.push({ atMs: clock.now() - startedAt, attempt, data: structuredClone(event.data) });
    const failure = errors.shift();
    if (failure && 'before' in failure) throw failure.before;
    progress.entered = true;
    (event.data as { grade: string }).grade = 'changed by the handler';
    event.id = 'changed by the handler';
    if (failure) throw failure.thrown;
  };
  const asked = invocation({
    registration: registration({ retry: { ...defaultRetryPolicy, jitterFactor: 0, ...policy } }),
    delivery: delivery(envelope(), { signal: stop.signal }),
  });
  const { observe } = seen;
  const step = retry({
    group: 'graders',
    once,
    clock,
    random: () => 0.5,
    observe,
    reasons,
    outage: undefined,
  })(next);
  const outcome = step(envelope(), asked).then(
    () => 'handled',
    (error: unknown) => ({ thrown: error }),
  );
  return { clock, seen, reasons, stop, tries, outcome, asked };
}

const thrown = (error: unknown) => ({ thrown: error });

describe('retrying', () => {
  it('waits longer before each attempt, and gives each one the event as it came', async () => {
    const { clock, tries, outcome } = setUp([
      thrown(new Error('1')),
      thrown('2'),
      thrown(undefined),
    ]);
    await settle();
    await clock.advance(7_000);
    expect(await outcome).toBe('handled');
    expect(tries).toEqual([
      { atMs: 0, attempt: 1, data: { grade: 'A' } },
      { atMs: 1_000, attempt: 2, data: { grade: 'A' } },
      { atMs: 3_000, attempt: 3, data: { grade: 'A' } },
      { atMs: 7_000, attempt: 4, data: { grade: 'A' } },
    ]);
  });

  it('makes as many attempts as the policy says, and throws the last error', async () => {
    const errors = ['1', '2', '3'].map((text) => new Error(text));
    const { clock, outcome, tries } = setUp(errors.map(thrown), { policy: { maxRetries: 2 } });
    await settle();
    await clock.advance(3_000);
    expect(await outcome).toEqual({ thrown: errors[2] });
    expect(tries.length).toBe(3);
  });

  it('reports every failed attempt, with when it is tried again', async () => {
    const { clock, seen, outcome } = setUp([thrown('1'), thrown('2')], {
      policy: { maxRetries: 1 },
    });
    await settle();
    await clock.advance(1_000);
    await outcome;
    expect(seen.all).toMatchObject([
      { kind: 'attempt-failed', eventId: 'event-1', attempt: 1, error: '1', willRetryInMs: 1_000 },
      { kind: 'attempt-failed', eventId: 'event-1', attempt: 2, error: '2', willRetryInMs: null },
    ]);
  });

  it('does not try again what is not worth it', async () => {
    const refused = new EventError('STORE_REJECTED', 'no', {});
    const { outcome, tries } = setUp([thrown(refused)]);
    expect(await outcome).toEqual({ thrown: refused });
    expect(tries.length).toBe(1);
  });

  it('waits out what fails before the handler, without counting it', async () => {
    const errors = Array.from({ length: 9 }, (_, index) => ({ before: index % 2 ? away : held }));
    const { clock, outcome, tries, asked } = setUp(errors, { policy: { maxRetries: 0 } });
    await settle();
    await clock.advance(60_000);
    expect(await outcome).toBe('handled');
    expect(asked.progress.attempts).toBe(0);
    expect(tries.map(({ attempt }) => attempt)).toEqual(Array(10).fill(1));
    expect(tries.map(({ atMs }) => atMs).slice(0, 4)).toEqual([0, 100, 300, 700]);
    expect(tries[9]!.atMs - tries[8]!.atMs).toBe(5_000);
  });

  it('waits out a claim that a crashed process left behind, also inside the handler', async () => {
    const errors = Array.from({ length: 12 }, () => thrown(held));
    const { clock, outcome, asked } = setUp(errors, { policy: { maxRetries: 0 } });
    await settle();
    await clock.advance(60_000);
    expect(await outcome).toBe('handled');
    expect(asked.progress.attempts).toBe(0);
  });

  it('counts what the handler itself could not reach', async () => {
    const { outcome, asked } = setUp([thrown(away)], { policy: { maxRetries: 0 } });
    expect(await outcome).toEqual({ thrown: away });
    expect(asked.progress.attempts).toBe(1);
  });

  it('is a reason for bad health while handlers cannot begin, and no longer', async () => {
    const { clock, reasons, outcome } = setUp([{ before: away }, { before: away }]);
    await settle();
    expect(reasons.health().reasons).toEqual([
      'handlers cannot begin: STORE_UNAVAILABLE, since 2026-01-01T00:00:00.000Z',
    ]);
    await clock.advance(300);
    expect(await outcome).toBe('handled');
    expect(reasons.health().reasons).toEqual([]);
  });

  it('makes one attempt for a redrive, and still waits out what is not its fault', async () => {
    const failed = new Error('again');
    const { clock, outcome, tries } = setUp([{ before: away }, thrown(failed)], { once: true });
    await settle();
    await clock.advance(100);
    expect(await outcome).toEqual({ thrown: failed });
    expect(tries.length).toBe(2);
  });

  it('ends its waiting when the message is given up, and leaves nothing behind', async () => {
    const failed = new Error('1');
    const { clock, stop, outcome, tries } = setUp([thrown(failed)]);
    await settle();
    expect(clock.waiting).toBe(1);
    stop.abort();
    expect(await outcome).toEqual({ thrown: failed });
    expect({ waiting: clock.waiting, tries: tries.length }).toEqual({ waiting: 0, tries: 1 });
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  it('spreads the retries of many by chance', async () => {
    const clock = new ManualClock();
    const seen = new Observations();
    const chances = [0, 0.25, 0.5, 0.75, 0.999];
    const step = retry({
      group: 'graders',
      once: false,
      clock,
      random: () => chances.shift()!,
      observe: seen.observe,
      reasons: new HealthReasons(() => clock.now()),
      outage: undefined,
    })(() => Promise.reject(new Error('no')));
    const policy = { ...defaultRetryPolicy, jitterFactor: 0.2 };
    for (let index = 0; index < 5; index += 1) {
      const asked = invocation({ registration: registration({ retry: policy }) });
      void step(envelope(), asked).catch(() => undefined);
    }
    await settle();
    const delays = seen.of('attempt-failed').map(({ willRetryInMs }) => Math.round(willRetryInMs!));
    expect(delays).toEqual([800, 900, 1_000, 1_100, 1_200]);
  });
});
