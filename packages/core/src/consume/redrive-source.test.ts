import { idleTimers } from '../../test/engine-bench.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { envelope } from '../../test/envelope.ts';
import { RedriveBench } from '../../test/redrive-bench.ts';
import { settle, until } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import type { Handler, HandlerContext } from './handler.ts';

let bench: RedriveBench;

beforeEach(() => {
  bench = new RedriveBench();
});

afterEach(() => bench.end());

const away = new EventError('STORE_UNAVAILABLE', 'away', {});

describe('redriving a dead letter', () => {
  it('runs the failing handler of the failing group alone, and resolves it', async () => {
    await Promise.all([bench.worker('graders'), bench.worker('others')]);
    await bench.clock.advance(0);
    await bench.failed('a1', 'a2');
    const letters = await bench.deadLetters.list({ group: 'graders' });
    const chosen = letters.find(({ handler, eventId }) => handler === 'price' && eventId === 'a2')!;
    await bench.redrive(chosen);
    expect(bench.calls).toEqual(['graders price a2']);
    expect(await bench.statusOf(chosen)).toBe('resolved');
    expect((await bench.deadLetters.list({ status: 'pending' })).length).toBe(7);
    expect(bench.seen.of('redriven')).toMatchObject([
      { kind: 'redriven', group: 'graders', deadLetterId: chosen.id, outcome: 'resolved' },
    ]);
  });

  it('makes one attempt, and says what failed this time', async () => {
    await bench.worker();
    const [letter] = await bench.failed('a1');
    bench.repaired = false;
    await bench.redrive(letter!);
    expect(bench.calls).toEqual(['graders grade a1']);
    expect(await bench.deadLetters.get(letter!.id)).toMatchObject({
      status: 'pending',
      totalAttempts: 2,
      failureReason: 'scale 7 is broken',
    });
    expect((await bench.deadLetters.list()).length).toBe(2);
  });

  it('gives the handler the event as it was dead-lettered, in its own transaction', async () => {
    const group = bench.group();
    const seen: { data: unknown; context: HandlerContext }[] = [];
    group.on(
      ['item.*'],
      ({ data }, context) => {
        if (!bench.repaired) throw new Error('no');
        seen.push({ data, context });
      },
      { name: 'grade', inbox: true, retry: { maxRetries: 0 } },
    );
    await group.start();
    bench.publish({ id: 'a1', subject: 'a' });
    await until(async () => (await bench.deadLetters.list()).length === 1, 'it failed');
    bench.repaired = true;
    await bench.redrive({ id: '1' });
    expect(seen).toMatchObject([
      {
        data: { grade: 'A' },
        context: { key: 'a', attempt: { number: 1, delivery: undefined }, tx: {} },
      },
    ]);
    const again = bench.inbox.record.bind(bench.inbox);
    const key = { group: 'graders', handler: 'grade', source: 'tests', id: 'a1' };
    await expect(bench.database.run((tx) => again(key, tx))).resolves.toBe(false);
  });

  it("waits for its turn in its key's lane, while other keys go on", async () => {
    const releases: (() => void)[] = [];
    await bench.worker('graders', ({ id }) =>
      id === 'a9' ? new Promise<void>((resolve) => releases.push(resolve)) : undefined,
    );
    const [a1, b1] = await bench.failed('a1', 'b1');
    bench.publish({ id: 'a9', subject: 'a' });
    await until(() => releases.length === 1, 'the lane of a is busy');
    await bench.redrive(a1!, b1!);
    expect([await bench.statusOf(a1!), await bench.statusOf(b1!)]).toEqual([
      'processing',
      'resolved',
    ]);
    releases.shift()!();
    await until(() => releases.length === 1, 'the second handler of a9 has begun');
    releases.shift()!();
    await until(async () => (await bench.statusOf(a1!)) === 'resolved', 'a1 had its turn');
  });

  it('goes on for other keys while one handler never returns', async () => {
    await bench.worker('graders', ({ id }) =>
      id === 'a1' ? new Promise<void>(() => {}) : undefined,
    );
    const [a1, b1] = await bench.failed('a1', 'b1');
    await bench.redrive(a1!);
    expect(bench.calls).toEqual(['graders grade a1']);
    await bench.redrive(b1!);
    expect(await bench.statusOf(b1!)).toBe('resolved');
  });

  it('takes as many as there are, without waiting for a poll for each', async () => {
    await bench.worker();
    const ids = Array.from({ length: 100 }, (_, index) => `${index}`);
    const letters = await bench.failed(...ids);
    await bench.redrive(...letters);
    await until(
      async () =>
        (await bench.deadLetters.list({ status: 'resolved', limit: 1_000 })).length === 200,
      'all are resolved',
    );
    expect(bench.calls.length).toBe(200);
  });

  it('keeps its claim for as long as it waits and runs', async () => {
    const releases: (() => void)[] = [];
    const hold: Handler = () => new Promise<void>((resolve) => releases.push(resolve));
    await bench.worker('graders', hold);
    const [a1, a2] = await bench.failed('a1', 'a2');
    await bench.redrive(a1!, a2!);
    await bench.clock.advance(25_000);
    // Another worker of the group looks for work all the time, and finds none.
    const other = { limit: 10, leaseMs: 60_000, worker: 'other' };
    for (let minute = 0; minute < 5; minute += 1) {
      expect(await bench.deadLetters.claim('graders', other)).toEqual([]);
      await bench.clock.advance(60_000);
    }
    expect(bench.calls).toEqual(['graders grade a1']);
  });

  it('that lost its claim is aborted, and changes nothing', async () => {
    let aborted: unknown;
    await bench.worker(
      'graders',
      (_, { signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = signal.reason;
            resolve();
          });
        }),
    );
    const [letter] = await bench.failed('a1');
    await bench.redrive(letter!);
    await bench.deadLetters.skip(letter!.id, { by: 'ann', notes: 'not needed' });
    await bench.clock.advance(20_000);
    expect(aborted).toMatchObject({ code: 'CLAIM_LOST' });
    expect(await bench.statusOf(letter!)).toBe('skipped');
    expect(bench.seen.of('redriven').map(({ outcome }) => outcome)).toEqual(['claim-lost']);
    expect(bench.clock.waiting).toBe(idleTimers);
  });

  it('that lost its claim while it waited for its turn is not run at all', async () => {
    const releases: (() => void)[] = [];
    await bench.worker('graders', () => new Promise<void>((resolve) => releases.push(resolve)));
    const [a1, a2] = await bench.failed('a1', 'a2');
    await bench.redrive(a1!);
    await bench.redrive(a2!);
    await bench.deadLetters.skip(a2!.id, { by: 'ann', notes: 'not needed' });
    await bench.clock.advance(20_000);
    releases.shift()!();
    await settle();
    expect(bench.calls).toEqual(['graders grade a1']);
    expect(bench.seen.of('redriven').map(({ outcome }) => outcome)).toEqual([
      'resolved',
      'claim-lost',
    ]);
  });

  it('stores its outcome later when the queue is away, instead of running it again', async () => {
    const group = await bench.worker();
    const [letter] = await bench.failed('a1');
    const store = bench.deadLetters.settle.bind(bench.deadLetters);
    bench.deadLetters.settle = () => Promise.reject(away);
    await bench.redrive(letter!);
    await bench.clock.advance(120_000);
    expect(group.health()).toEqual({
      status: 'degraded',
      reasons: ['dead letters cannot be stored or looked up, since 2026-01-01T00:00:01.000Z'],
    });
    bench.deadLetters.settle = store;
    await bench.clock.advance(5_000);
    expect({ calls: bench.calls, status: await bench.statusOf(letter!) }).toEqual({
      calls: ['graders grade a1'],
      status: 'resolved',
    });
    expect(group.health().status).toBe('ok');
  });

  it('goes on when the queue was away, and health says so meanwhile', async () => {
    const group = await bench.worker();
    const [letter] = await bench.failed('a1');
    const claim = bench.deadLetters.claim.bind(bench.deadLetters);
    bench.deadLetters.claim = () => Promise.reject(away);
    await bench.redrive(letter!);
    expect(group.health().reasons).toEqual([
      'dead letters to be run again cannot be looked up, since 2026-01-01T00:00:01.000Z',
    ]);
    bench.deadLetters.claim = claim;
    await bench.clock.advance(1_000);
    expect({ status: await bench.statusOf(letter!), health: group.health().status }).toEqual({
      status: 'resolved',
      health: 'ok',
    });
  });

  it('waits while the database is away, without an attempt', async () => {
    let isAway = false;
    const group = bench.group({
      transactions: {
        run: (work) =>
          isAway ? Promise.reject(away) : bench.database.run((tx) => work(tx as never)),
      },
    });
    const handler: Handler = () => {
      if (!bench.repaired) throw new Error('no');
    };
    group.on(['item.*'], handler, { inbox: true, retry: { maxRetries: 0 } });
    await group.start();
    bench.publish({ id: 'a1' });
    await until(async () => (await bench.deadLetters.list()).length === 1, 'it failed');
    bench.repaired = true;
    isAway = true;
    await bench.redrive({ id: '1' });
    await bench.clock.advance(100_000);
    isAway = false;
    await bench.clock.advance(5_000);
    expect(await bench.deadLetters.get('1')).toMatchObject({
      status: 'resolved',
      totalAttempts: 1,
    });
  });

  it('of a handler that is gone stays pending, and says so', async () => {
    await bench.worker();
    const [letter] = await bench.failed('a1');
    const id = await bench.deadLetters.add({ ...letter!, handler: 'gone', event: envelope() });
    await bench.redrive({ id });
    expect(await bench.deadLetters.get(id)).toMatchObject({
      status: 'pending',
      errorCode: 'CAPABILITY_MISSING',
      failureReason: expect.stringContaining('group graders has no handler gone for item.graded'),
    });
  });

  it('that cannot be read still cannot, with one attempt more', async () => {
    await bench.worker();
    bench.publishRaw({ body: '{' });
    await until(async () => (await bench.deadLetters.list()).length === 1, 'it is dead');
    await bench.redrive({ id: '1' });
    expect(await bench.deadLetters.get('1')).toMatchObject({
      status: 'pending',
      errorCode: 'MESSAGE_UNPARSEABLE',
      totalAttempts: 2,
    });
  });

  it('that can be read by now goes to every handler, each with a dead letter of its own', async () => {
    const group = bench.group();
    const handled: string[] = [];
    group.on(['item.*'], ({ id }) => void handled.push(id), { name: 'works' });
    const retry = { maxRetries: 0 };
    group.on(['item.*'], () => Promise.reject(new Error('no')), { name: 'fails', retry });
    await group.start();
    bench.publishRaw({ body: '{' });
    await until(async () => (await bench.deadLetters.list()).length === 1, 'it is dead');
    // As if a newer codec reads what an older one could not.
    const claim = bench.deadLetters.claim.bind(bench.deadLetters);
    bench.deadLetters.claim = async (...args) =>
      (await claim(...args)).map(({ deadLetter, token }) => ({
        deadLetter: {
          ...deadLetter,
          message: { ...deadLetter.message, body: JSON.stringify(envelope({ id: 'a1' })) },
        },
        token,
      }));
    await bench.redrive({ id: '1' });
    await until(async () => (await bench.deadLetters.get('1'))!.status === 'resolved', 'resolved');
    expect(handled).toEqual(['a1']);
    expect(await bench.deadLetters.list({ status: 'pending' })).toMatchObject([
      { handler: 'fails', eventId: 'a1', failureReason: 'no' },
    ]);
  });
});
