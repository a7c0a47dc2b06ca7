import { describe, expect, it } from 'vitest';

import { envelope } from '../../../test/envelope.ts';
import { delivery, invocation } from '../../../test/invocation.ts';
import { Observations } from '../../../test/observations.ts';
import { settle } from '../../../test/until.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { EventError } from '../../errors.ts';
import { HealthReasons } from '../../health.ts';
import { ManualClock } from '../../memory/manual-clock.ts';
import { MemoryDatabase } from '../../memory/memory-database.ts';
import { MemoryDeadLetterQueue } from '../../memory/memory-dead-letter-queue.ts';
import { deadLetter, DeadLetterRecorder, describeFailure } from './dead-letter.ts';
import { Abort } from '../abort.ts';
import type { Invocation, Step } from './step.ts';

const away = new EventError('STORE_UNAVAILABLE', 'away', {});

function setUp() {
  const clock = new ManualClock();
  const seen = new Observations();
  const reasons = new HealthReasons(() => clock.now());
  const queue = new MemoryDeadLetterQueue(new MemoryDatabase(), { clock });
  const { observe } = seen;
  const recorder = new DeadLetterRecorder({
    group: 'graders',
    sink: queue,
    clock,
    observe,
    reasons,
  });
  const policy = deadLetter(recorder);
  const handle = (next: Step, said?: Partial<Invocation>): Promise<void> =>
    policy(next)(envelope(), invocation(said));
  return { clock, seen, reasons, queue, handle };
}

const failing = (error: unknown): Step =>
  function fail(event, { progress }) {
    progress.attempts = 4;
    event.id = 'changed by the handler';
    event.data = 'changed by the handler';
    return Promise.reject(error as Error);
  };

describe('a dead letter', () => {
  it('says what failed, whose fault it was, and keeps the event as it came', async () => {
    const { queue, handle, seen } = setUp();
    const error = Object.assign(new Error('scale 7 is broken'), { code: 'SCALE' });
    await handle(failing(error));
    const [letter] = await queue.list();
    expect(letter).toMatchObject({
      group: 'graders',
      handler: 'grade',
      coordinates: { transport: 'test', stream: 'items', position: '7' },
      event: envelope(),
      eventId: 'event-1',
      eventType: 'item.graded',
      message: {
        id: 'event-1',
        type: 'item.graded',
        key: 'event-1',
        contentType: 'application/json',
        body: JSON.stringify(envelope()),
      },
      failureReason: 'scale 7 is broken',
      failureType: 'unknown',
      errorCode: 'SCALE',
      totalAttempts: 4,
      status: 'pending',
    });
    expect(letter!.errorStack).toContain('scale 7 is broken');
    expect(seen.of('dead-lettered')).toMatchObject([
      { handler: 'grade', eventId: 'event-1', error: { code: 'HANDLER_FAILED', cause: error } },
    ]);
  });

  it('is not written for an event that was handled', async () => {
    const { queue, handle } = setUp();
    await handle(async () => {});
    expect(await queue.list()).toEqual([]);
  });

  it('is not written for a message that is no longer ours', async () => {
    const { queue, handle } = setUp();
    const owner = new AbortController();
    const failed = new Error('no');
    const losing: Step = () => {
      owner.abort();
      return Promise.reject(failed);
    };
    await expect(handle(losing, { abort: new Abort(owner.signal) })).rejects.toBe(failed);
    expect(await queue.list()).toEqual([]);
  });

  it('is looked up first on a repeated delivery, which then does nothing more', async () => {
    const { handle, seen } = setUp();
    await handle(failing(new Error('no')));
    for (const deliveryCount of [2, undefined]) {
      const repeated = delivery(envelope(), { mayBeRepeated: true, deliveryCount });
      await handle(() => expect.fail('handled again'), { delivery: repeated });
    }
    expect(seen.of('dead-letter-known')).toMatchObject([
      { handler: 'grade', eventId: 'event-1' },
      { handler: 'grade', eventId: 'event-1' },
    ]);
  });

  it('does not keep a repeated delivery from a handler that never failed', async () => {
    const { handle } = setUp();
    let handled = 0;
    await handle(async () => void handled++, {
      delivery: delivery(envelope(), { mayBeRepeated: true, deliveryCount: 2 }),
    });
    expect(handled).toBe(1);
  });

  it('is tried until it is stored, and health is bad for so long', async () => {
    const { clock, queue, handle, reasons, seen } = setUp();
    const add = queue.add.bind(queue);
    queue.add = () => Promise.reject(away);
    const outcome = handle(failing(new Error('no')));
    await settle();
    await clock.advance(30_000);
    expect(reasons.health().reasons).toEqual([
      'dead letters cannot be stored or looked up, since 2026-01-01T00:00:00.000Z',
    ]);
    expect(seen.of('dead-letter-failed').length).toBeGreaterThan(5);
    queue.add = add;
    await clock.advance(5_000);
    await outcome;
    expect((await queue.list()).length).toBe(1);
    expect(reasons.health().reasons).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it('is given up, and the message with it, when the message is no longer ours', async () => {
    const { clock, queue, handle, reasons } = setUp();
    const owner = new AbortController();
    queue.add = () => Promise.reject(away);
    const asked = { abort: new Abort(owner.signal) };
    const outcome = handle(failing(new Error('no')), asked).catch((error: unknown) => error);
    await settle();
    owner.abort();
    expect(await outcome).toBe(away);
    expect({ waiting: clock.waiting, reasons: reasons.health().reasons }).toEqual({
      waiting: 0,
      reasons: [],
    });
  });
});

const hostile = Object.defineProperties(new Error('x'), {
  message: {
    get() {
      throw new Error('do not touch');
    },
  },
  stack: {
    get() {
      throw new Error('do not touch');
    },
  },
  code: {
    get() {
      throw new Error('do not touch');
    },
  },
});

describe('what a failure is called', () => {
  it.each([
    ['nothing', undefined],
    ['a string', 'broken'],
    ['a number', 7],
    ['a symbol', Symbol('s')],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['an error whose properties throw', hostile],
    ['an object without a prototype', Object.create(null)],
    ['an error without a message', new Error('')],
    ['an error whose message is no text', Object.assign(new Error('x'), { message: { a: 1 } })],
    ['a circle', Object.assign([], { 0: {} })],
    ['a big number', 10n],
  ])('can be said of %s', (_, error) => {
    const { failureReason, failureType, fingerprint } = describeFailure(error);
    expect(failureReason).not.toBe('');
    expect(failureType).toBe('unknown');
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is bounded, one line, and free of what drives a terminal or breaks a database', () => {
    const nasty = `first\nsecond\u001b[31m\u0000 \ud800 ${'x'.repeat(10_000_000)}`;
    const error = Object.assign(new Error(nasty), { code: `E\n${'y'.repeat(1_000)}` });
    const described = describeFailure(error);
    expect(described.failureReason).toMatch(/^first\\u000asecond\\u001b\[31m\\u0000 \ufffd x+…$/);
    expect(described.failureReason.length).toBeLessThan(2_100);
    expect(described.errorStack!.length).toBeLessThan(8_200);
    expect(described.errorStack).not.toMatch(/[\u0000\u001b]/);
    expect(described.errorCode!.length).toBeLessThan(300);
  });

  it('tells what passes by itself from what does not', () => {
    const types = [away, new EventError('STORE_REJECTED', 'no', {}), new Error('?')].map(
      (error) => describeFailure(error).failureType,
    );
    expect(types).toEqual(['transient', 'permanent', 'unknown']);
  });

  it('groups failures with one cause, whatever the event', () => {
    const print = (message: string, code?: string): DeadLetter['fingerprint'] =>
      describeFailure(Object.assign(new Error(message), { code })).fingerprint;
    expect(print('item 17 has no "name"')).toBe(print('item 4 has no "colour"'));
    expect(print('item 17 has no name')).not.toBe(print('item 17 has no price'));
    expect(print('refused', 'E1')).not.toBe(print('refused', 'E2'));
  });
});
