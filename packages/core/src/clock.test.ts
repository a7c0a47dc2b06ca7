import { getEventListeners } from 'node:events';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { maxTimerMs, systemClock } from './clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the machine's clock", () => {
  it('sleeps for as long as it is told, and leaves nothing behind', async () => {
    const { signal } = new AbortController();
    let awake = false;
    void systemClock.sleep(1_000, signal).then(() => (awake = true));
    await vi.advanceTimersByTimeAsync(999);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(awake).toBe(true);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('wakes at once, without an error, when it is told to', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(1_000, stop.signal);
    stop.abort();
    await expect(sleeping).resolves.toBeUndefined();
    await expect(systemClock.sleep(1_000, stop.signal)).resolves.toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('calls once what was scheduled, unless it was called off', async () => {
    const run = vi.fn();
    const calledOff = vi.fn();
    systemClock.schedule(10, run);
    systemClock.schedule(10, calledOff)();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(run).toHaveBeenCalledTimes(1);
    expect(calledOff).not.toHaveBeenCalled();
  });

  it('waits long rather than not at all for a time that is too long for a timer', async () => {
    const run = vi.fn();
    systemClock.schedule(2 ** 31, run);
    let awake = false;
    void systemClock.sleep(Number.POSITIVE_INFINITY).then(() => (awake = true));
    await vi.advanceTimersByTimeAsync(maxTimerMs - 1);
    expect({ awake, calls: run.mock.calls.length }).toEqual({ awake: false, calls: 0 });
  });
});
