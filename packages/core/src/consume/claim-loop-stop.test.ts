import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { envelope } from '../../test/envelope.ts';
import { holding, recording } from '../../test/handlers.ts';
import { RedriveBench } from '../../test/redrive-bench.ts';
import { settle, until } from '../../test/until.ts';

let bench: RedriveBench;

beforeEach(() => {
  bench = new RedriveBench();
});

afterEach(() => bench.end());

describe('a stop during redrives', () => {
  it('waits for the one that runs, and leaves those that wait to another worker', async () => {
    const releases: (() => void)[] = [];
    const group = await bench.worker(
      'graders',
      () => new Promise<void>((resolve) => releases.push(resolve)),
    );
    const [a1, a2] = await bench.failed('a1', 'a2');
    await bench.redrive(a1!, a2!);
    const stopped = group.stop({ deadlineMs: 30_000 });
    await settle();
    releases.shift()!();
    expect(await stopped).toEqual([]);
    expect([await bench.statusOf(a1!), await bench.statusOf(a2!)]).toEqual([
      'resolved',
      'processing',
    ]);
    expect(bench.calls).toEqual(['graders grade a1']);
    expect(bench.clock.waiting).toBe(0);

    // Its claim lapses, and the next worker makes the redrive.
    await bench.worker('graders');
    await settle();
    await bench.clock.advance(61_000);
    expect(await bench.statusOf(a2!)).toBe('resolved');
  });

  it('does not hang on one that never returns: it is named, and no timer is left', async () => {
    const group = await bench.worker('graders', () => new Promise<void>(() => {}));
    const [letter] = await bench.failed('a1');
    await bench.redrive(letter!);
    expect(await bench.stop(group, 1_000)).toMatchObject([
      { eventId: 'a1', handler: 'grade', coordinates: { position: '0' } },
    ]);
    expect(bench.clock.waiting).toBe(0);
    expect(await bench.statusOf(letter!)).toBe('processing');
    expect(bench.seen.of('redriven')).toEqual([]);
  });

  it('changes nothing when a handler returns after the deadline', async () => {
    const releases: (() => void)[] = [];
    const group = await bench.worker(
      'graders',
      () => new Promise<void>((resolve) => releases.push(resolve)),
    );
    const [letter] = await bench.failed('a1');
    await bench.redrive(letter!);
    await bench.stop(group, 1_000);
    releases.shift()!();
    await settle();
    expect(await bench.statusOf(letter!)).toBe('processing');
    expect(bench.seen.of('redriven')).toEqual([]);
  });

  it('does not go on to the next handler of what could not be read', async () => {
    const group = bench.group();
    const slow = holding();
    const { handled, handler } = recording();
    group.on(['item.*'], slow.handler, { name: 'slow' });
    group.on(['item.*'], handler, { name: 'second' });
    await group.start();
    const body = JSON.stringify(envelope({ id: 'a1' }));
    const id = await bench.deadLetters.add({
      group: 'graders',
      handler: '',
      coordinates: { transport: 'memory', stream: 'memory', position: '7' },
      message: { id: 'a1', type: 'item.graded', key: 'k', contentType: 'application/json', body },
      failureReason: 'an older codec could not read it',
      failureType: 'permanent',
      totalAttempts: 1,
      fingerprint: 'f',
    });
    await bench.redrive({ id });
    await until(() => slow.begun.length === 1, 'the first has begun');
    await bench.stop(group, 1_000);
    slow.release('a1');
    await settle();
    expect(handled).toEqual([]);
  });

  it('does not run what was claimed while it stopped', async () => {
    const group = await bench.worker();
    const [letter] = await bench.failed('a1');
    const claim = bench.deadLetters.claim.bind(bench.deadLetters);
    const { promise, resolve } = Promise.withResolvers<void>();
    bench.deadLetters.claim = (...args) => promise.then(() => claim(...args));
    await bench.redrive(letter!);
    const stopped = group.stop();
    resolve();
    await stopped;
    await settle();
    expect(bench.calls).toEqual([]);
  });
});
