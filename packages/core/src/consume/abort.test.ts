import { getEventListeners } from 'node:events';

import { describe, expect, it } from 'vitest';

import { Abort } from './abort.ts';

const first = new Error('first');
const second = new Error('second');

function setUp() {
  const owner = new AbortController();
  const heard: unknown[] = [];
  const delivery = new Abort(owner.signal);
  const attempt = new Abort(delivery, (reason) => heard.push(reason));
  const listeners = () => getEventListeners(owner.signal, 'abort').length;
  return { owner, delivery, attempt, heard, listeners };
}

describe('what may have to end early', () => {
  it('has ended with what it is part of, without listening to it', () => {
    const { owner, attempt, listeners } = setUp();
    expect(attempt.aborted).toBe(false);
    expect(listeners()).toBe(0);
    owner.abort(first);
    expect([attempt.aborted, attempt.reason]).toEqual([true, first]);
  });

  it('ends alone, and leaves what it is part of', () => {
    const { delivery, attempt } = setUp();
    attempt.abort(first);
    expect([attempt.aborted, delivery.aborted]).toEqual([true, false]);
  });

  it('keeps the first reason, and passes on each that it is told', () => {
    const { delivery, attempt, heard } = setUp();
    attempt.abort(first);
    delivery.abort(second);
    delivery.abort(first);
    expect([attempt.reason, delivery.reason]).toEqual([first, second]);
    expect(heard).toEqual([second, first]);
  });

  it.each(['before', 'after'])('makes a signal %s the end that says the same', (when) => {
    const { owner, attempt } = setUp();
    const early = when === 'before' ? attempt.signal : undefined;
    owner.abort(first);
    const { signal } = attempt;
    expect(signal).toBe(early ?? signal);
    expect([signal.aborted, signal.reason]).toEqual([true, first]);
  });

  it('tells those who follow it, and only them, of the signal that it is part of', () => {
    const { owner, delivery, heard, listeners } = setUp();
    delivery.follow();
    delivery.follow();
    expect(listeners()).toBe(1);
    owner.abort(first);
    expect(heard).toEqual([first]);
    expect(setUp().heard).toEqual([]);
  });

  it('hears at once of an end that came before it followed', () => {
    const { owner, delivery, heard } = setUp();
    owner.abort(first);
    delivery.follow();
    expect(heard).toEqual([first]);
  });

  it('lets go when it is released, and listens no more', () => {
    const { owner, delivery, attempt, heard, listeners } = setUp();
    const { signal } = attempt;
    attempt.release();
    delivery.release();
    expect(listeners()).toBe(0);
    owner.abort(first);
    expect([heard, signal.aborted]).toEqual([[], false]);
    const late = setUp();
    late.delivery.release();
    expect(late.attempt.signal.aborted).toBe(false);
    expect(late.listeners()).toBe(0);
  });

  it('has one part after the other', () => {
    const { delivery, attempt, heard } = setUp();
    attempt.release();
    const next: unknown[] = [];
    const again = new Abort(delivery, (reason) => next.push(reason));
    attempt.release(); // once more, after the next one has begun
    delivery.abort(first);
    expect({ heard, next, reason: again.reason }).toEqual({
      heard: [],
      next: [first],
      reason: first,
    });
  });
});
